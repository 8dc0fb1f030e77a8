import type { Message } from './message.js';
import { REPUBLISHED_HEADER } from './outbox-entry.js';

/** It may be a second copy, or a second delivery, of one that is being handled in this process. */
const isSuspect = (message: Message): boolean =>
  message.redelivered || message.headers[REPUBLISHED_HEADER] === true;

/** What a dispatcher does with a message. */
export interface DispatcherParts {
  readonly concurrency: number;
  /** Sees a message through to its end. Must not reject. */
  readonly handle: (message: Message) => Promise<void>;
  /** Gets each message that was delivered, but whose handler will not be called any more. */
  readonly drop: (message: Message) => void;
}

interface Waiting {
  readonly message: Message;
  readonly go: () => void;
}

/**
 * Gives messages to their handler in the order in which they came, at most `concurrency` at a time, and never inside the
 * stack of the socket that delivered them.
 */
export class Dispatcher {
  /** Delivered and not given to the handler yet; the prefetch bounds it. */
  #waiting: Waiting[] = [];
  /** Suspects that wait until the handlers of an earlier channel have settled. */
  #suspects: Waiting[] | undefined;
  /** For how many such channels. */
  #holds = 0;
  #running = 0;
  #over = false;
  #idle: (() => void)[] = [];

  constructor(private readonly parts: DispatcherParts) {}

  get running(): number {
    return this.#running;
  }

  push(message: Message): void {
    void this.#attend(message);
  }

  /** Holds suspects back until `settled`, and whatever else they are held back for; all others run. */
  holdSuspects(settled: Promise<void>): void {
    this.#suspects ??= [];
    this.#holds += 1;
    void settled.then(() => {
      this.#holds -= 1;
      if (this.#holds > 0) return;
      this.#waiting.unshift(...(this.#suspects ?? []));
      this.#suspects = undefined;
      this.#next();
    });
  }

  /** Calls no handler any more. */
  end(): void {
    this.#over = true;
    const left = [...(this.#suspects ?? []), ...this.#waiting];
    this.#suspects = undefined;
    this.#waiting = [];
    for (const { message } of left) this.parts.drop(message);
  }

  /** Resolves when no handler runs. */
  idle(): Promise<void> {
    return this.#running === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#idle.push(resolve);
        });
  }

  async #attend(message: Message): Promise<void> {
    // An await brings back the async context of its own delivery, however long it takes and whoever ends it.
    await new Promise<void>((go) => this.#wait({ message, go }));
    try {
      if (this.#over) this.parts.drop(message);
      else await this.parts.handle(message);
    } finally {
      this.#running -= 1;
      this.#next();
      if (this.#running === 0) for (const idle of this.#idle.splice(0)) idle();
    }
  }

  #wait(waiting: Waiting): void {
    const held = this.#suspects !== undefined && isSuspect(waiting.message);
    (held ? this.#suspects : this.#waiting)?.push(waiting);
    this.#next();
  }

  #next(): void {
    while (this.#running < this.parts.concurrency) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running += 1;
      next.go();
    }
  }
}
