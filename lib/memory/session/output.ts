import type { Socket } from 'node:net';
import type { Content } from '../wire/frame-writer.js';
import { FrameWriter } from '../wire/frame-writer.js';
import type { Fields, MethodName } from '../wire/method-table.js';

// A consumer that does not read gets nothing more beyond this.
const MOST_UNREAD = 1_048_576;

/** The frames on their way to a client: gathered during a turn of the event loop, and written at once at its end. */
export class Output {
  readonly #frames = new FrameWriter();
  #scheduled = false;
  #held = false;
  /** Bytes were sent since this was last set to false. */
  sent = false;
  frameMax = 4_096;

  constructor(private readonly socket: Socket) {}

  /** Whether the client reads what it is sent. */
  get hasRoom(): boolean {
    return this.socket.writableLength + this.#frames.length < MOST_UNREAD;
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
    this.sent = true;
    this.socket.write(this.#frames.take());
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

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }
}
