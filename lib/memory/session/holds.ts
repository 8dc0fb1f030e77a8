import type { Socket } from 'node:net';

/**
 * Why nothing is read for a while. `unread`: the client does not read what it asked for; `delayed`: a fault of a test.
 */
export type Hold = 'paused' | 'blocked' | 'delayed' | 'unread';

/** Whether a connection is read from. */
export class Holds {
  readonly #causes = new Set<Hold>();

  constructor(private readonly socket: Socket) {}

  get none(): boolean {
    return this.#causes.size === 0;
  }

  has(cause: Hold): boolean {
    return this.#causes.has(cause);
  }

  add(cause: Hold): void {
    this.#causes.add(cause);
    this.socket.pause();
  }

  /** @returns whether it was the last one, so that reading goes on */
  remove(cause: Hold): boolean {
    if (!this.#causes.delete(cause) || !this.none) return false;
    this.socket.resume();
    return true;
  }
}
