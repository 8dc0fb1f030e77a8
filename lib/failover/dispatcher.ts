import type { Message } from './message.js';
import { REPUBLISHED_HEADER } from './outbox-entry.js';

/** It may be a second copy, or a second delivery, of one that is being handled in this process. */
const isSuspect = (message: Message): boolean =>
  message.redelivered || message.headers[REPUBLISHED_HEADER] === true;

/**
 * Gives messages to their handler in the order in which they came, at most `concurrency` at a time, and never inside the
 * stack of the socket that delivered them.
 */
export class Dispatcher {
  /** Delivered and not given to the handler yet; the prefetch bounds it. */
  #waiting: Message[] = [];
  /** Suspects that wait until the handlers of an earlier channel have settled. */
  #suspects: Message[] | undefined;
  #scheduled = false;
  #running = 0;
  #idle: (() => void)[] = [];

  constructor(
    private readonly concurrency: number,
    private readonly handle: (message: Message) => Promise<void>,
  ) {}

  get running(): number {
    return this.#running;
  }

  push(message: Message): void {
    if (this.#suspects !== undefined && isSuspect(message)) this.#suspects.push(message);
    else {
      this.#waiting.push(message);
      this.#schedule();
    }
  }

  /** Holds suspects back until `settled`; all others run. */
  holdSuspects(settled: Promise<void>): void {
    this.#suspects = [];
    void settled.finally(() => {
      this.#waiting = [...(this.#suspects ?? []), ...this.#waiting];
      this.#suspects = undefined;
      this.#schedule();
    });
  }

  /** Drops what was not given to the handler: it goes back to the queue with its channel. */
  clear(): void {
    this.#waiting = [];
    if (this.#suspects !== undefined) this.#suspects = [];
  }

  /** Resolves when no handler runs. */
  idle(): Promise<void> {
    return this.#running === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#idle.push(resolve);
        });
  }

  /** One microtask for a burst of deliveries. */
  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      const room = this.concurrency - this.#running;
      for (const message of this.#waiting.splice(0, Math.max(0, room))) void this.#run(message);
    });
  }

  async #run(message: Message): Promise<void> {
    this.#running += 1;
    try {
      await this.handle(message);
    } finally {
      this.#running -= 1;
      this.#schedule();
      if (this.#running === 0) for (const idle of this.#idle.splice(0)) idle();
    }
  }
}
