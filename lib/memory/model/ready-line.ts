import type { QueuedMessage } from './queued-message.js';

/** Messages of one priority that wait for a consumer. */
export class ReadyLine {
  /** Put back, and so older than the rest. */
  #returned: QueuedMessage[] = [];
  #fresh: QueuedMessage[] = [];
  #head = 0;

  /** @param inPlace what was put back returns to its place, as in a classic queue; else to the end, as in a quorum queue of 3.10 */
  constructor(private readonly inPlace: boolean) {}

  get size(): number {
    return this.#returned.length + this.#fresh.length - this.#head;
  }

  get first(): QueuedMessage | undefined {
    return this.#returned[0] ?? this.#fresh[this.#head];
  }

  append(message: QueuedMessage): void {
    this.#fresh.push(message);
  }

  /** Puts back messages that were taken. */
  giveBack(messages: readonly QueuedMessage[]): void {
    if (!this.inPlace) {
      this.#fresh.push(...messages);
      return;
    }
    this.#returned.push(...messages);
    this.#returned.sort((one, other) => one.sequence - other.sequence);
  }

  shift(): QueuedMessage | undefined {
    const returned = this.#returned.shift();
    if (returned !== undefined) return returned;
    const message = this.#fresh[this.#head];
    if (message === undefined) return undefined;
    this.#head += 1;
    // Half of it is gone: what is copied now was paid for by what was taken.
    if (this.#head * 2 > this.#fresh.length) {
      this.#fresh = this.#fresh.slice(this.#head);
      this.#head = 0;
    }
    return message;
  }

  *[Symbol.iterator](): Iterator<QueuedMessage> {
    yield* this.#returned;
    for (let at = this.#head; at < this.#fresh.length; at += 1) {
      const message = this.#fresh[at];
      if (message !== undefined) yield message;
    }
  }

  clear(): void {
    this.#returned = [];
    this.#fresh = [];
    this.#head = 0;
  }

  /** Keeps only those that `holds`. */
  filter(holds: (message: QueuedMessage) => boolean): void {
    this.#returned = this.#returned.filter(holds);
    this.#fresh = this.#fresh.slice(this.#head).filter(holds);
    this.#head = 0;
  }
}
