import type { Socket } from 'node:net';
import type { Content } from '../wire/frame-writer.js';
import { FrameWriter } from '../wire/frame-writer.js';
import type { Fields, MethodName } from '../wire/method-table.js';

// Beyond this a client that does not read is neither sent more nor read from, as TCP would have it.
const MOST_UNREAD = 1_048_576;

/** The frames on their way to a client: gathered during a turn of the event loop, and written at once at its end. */
export class Output {
  readonly #frames = new FrameWriter();
  #scheduled = false;
  #held = false;
  frameMax = 4_096;

  /** Somebody has been told that there is no room. */
  #full = false;

  /** @param roomAgain called when there is room after there was none */
  constructor(
    private readonly socket: Socket,
    private readonly roomAgain: () => void,
  ) {
    socket.on('drain', () => this.#tell());
  }

  /** Whether the client reads what it is sent. */
  get hasRoom(): boolean {
    const hasRoom = this.socket.writableLength + this.#frames.length < MOST_UNREAD;
    if (!hasRoom) this.#full = true;
    return hasRoom;
  }

  method<M extends MethodName>(
    channel: number,
    method: M,
    fields: Fields<M>,
    content: Content | undefined,
  ): void {
    this.#frames.method(channel, method, fields);
    if (content !== undefined) this.#frames.content(channel, content, this.frameMax);
    this.#schedule();
  }

  heartbeat(): void {
    this.#frames.heartbeat();
    this.#schedule();
  }

  raw(bytes: Buffer): void {
    this.#frames.raw(bytes);
    this.#schedule();
  }

  /** Writes what there is, now. */
  flush(): void {
    if (this.#held || this.#frames.length === 0 || !this.socket.writable) return;
    this.socket.write(this.#frames.take());
    // What the system takes at once is followed by no `drain`.
    if (this.#full) queueMicrotask(() => this.#tell());
  }

  /** Nothing leaves until it is released. */
  hold(): void {
    this.flush();
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.flush();
  }

  #tell(): void {
    if (!this.#full || !this.hasRoom) return;
    this.#full = false;
    this.roomAgain();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }
}
