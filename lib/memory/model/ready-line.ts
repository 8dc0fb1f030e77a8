import type { QueuedMessage } from './queued-message.js';

/** Where what was put back stands: in its old place, before all that was not put back, or behind everything. */
export type ReturnPlace = 'own' | 'front' | 'back';

/** Messages of one priority that wait for a consumer. */
export class ReadyLine {
  /** Put back, and so older than the rest. */
  #returned: QueuedMessage[] = [];
  #fresh: QueuedMessage[] = [];
  #head = 0;

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
  giveBack(messages: readonly QueuedMessage[], place: ReturnPlace): void {
    if (place === 'back') this.#fresh.push(...messages);
    else this.#returned.push(...messages);
    if (place === 'own') this.#returned.sort((one, other) => one.sequence - other.sequence);
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
