import type { QueueConsumer } from './consumer.js';

/** Who consumes from a queue, in the order in which they are served: by priority, then in turn. */
export class QueueConsumers {
  /** In the order of their registration. */
  readonly #all: QueueConsumer[] = [];
  /** In the order in which they are served next. */
  #turns: QueueConsumer[] = [];
  /** Those that were passed over for want of room, until they have some: they then queue up behind the others. */
  readonly #full = new Set<QueueConsumer>();

  /** @param single only the first one is served, until it is gone (`x-single-active-consumer`) */
  constructor(private readonly single: boolean) {}

  get size(): number {
    return this.#all.length;
  }

  get hasExclusive(): boolean {
    return this.#all.some(({ exclusive }) => exclusive);
  }

  add(consumer: QueueConsumer): void {
    this.#all.push(consumer);
    this.#enqueue(consumer);
  }

  remove(consumer: QueueConsumer): void {
    const index = this.#all.indexOf(consumer);
    if (index !== -1) this.#all.splice(index, 1);
    this.#turns = this.#turns.filter((one) => one !== consumer);
    this.#full.delete(consumer);
  }

  /** The one to serve next; its turn is over with that. */
  next(): QueueConsumer | undefined {
    if (this.single) {
      const [active] = this.#all;
      return active?.hasRoom === true ? active : undefined;
    }
    for (;;) {
      const consumer = this.#turns.shift();
      if (consumer === undefined) return undefined;
      if (consumer.hasRoom) {
        this.#enqueue(consumer);
        return consumer;
      }
      this.#full.add(consumer);
    }
  }

  *[Symbol.iterator](): Iterator<QueueConsumer> {
    yield* this.#all.slice();
  }

  /** Has those queue up again that have room now. To be called when one may have got some. */
  wake(): void {
    for (const consumer of this.#full) {
      if (!consumer.hasRoom) continue;
      this.#full.delete(consumer);
      this.#enqueue(consumer);
    }
  }

  #enqueue(consumer: QueueConsumer): void {
    const behind = this.#turns.findIndex(({ priority }) => priority < consumer.priority);
    if (behind === -1) this.#turns.push(consumer);
    else this.#turns.splice(behind, 0, consumer);
  }
}
