import type { Clock } from '../policy/clock.js';
import type { Ranked } from './heap.js';
import { Heap } from './heap.js';
import { LinkedList } from './linked-list.js';
import type { OutboxEntry } from './outbox-entry.js';

/** Those with the same timeout, which end in the order in which they came. */
class SameTimeout extends LinkedList<OutboxEntry> implements Ranked {
  index = 0;

  constructor(
    /** The deadline of the first one, or of one before it. A reading of the clock. */
    public rank: number,
  ) {
    super();
  }
}

/**
 * The deadlines of all publishes of a producer, on one timer. A list for each timeout keeps adding and removing constant
 * where all have the same; where each has its own, what is left of a caller's time for one, a heap of the lists keeps it
 * logarithmic.
 */
export class Deadlines {
  readonly #byTimeout = new Map<number, SameTimeout>();
  readonly #lists = new Heap<SameTimeout>();
  #cancel: (() => void) | undefined;
  #armedFor = Number.POSITIVE_INFINITY;

  constructor(
    private readonly clock: Clock,
    private readonly passed: (entry: OutboxEntry) => void,
  ) {}

  add(entry: OutboxEntry): void {
    const { policy, deadline } = entry;
    let list = this.#byTimeout.get(policy.timeout);
    if (list === undefined) {
      list = new SameTimeout(deadline);
      this.#byTimeout.set(policy.timeout, list);
      this.#lists.add(list);
    }
    list.append(entry.due);
    if (deadline < this.#armedFor) this.#arm(deadline);
  }

  /** Must be called for each entry that settles. */
  remove(entry: OutboxEntry): void {
    const { list } = entry.due;
    entry.due.leave();
    if (list?.size === 0) this.#forget(entry.policy.timeout);
  }

  #forget(timeout: number): void {
    const list = this.#byTimeout.get(timeout);
    if (list === undefined) return;
    this.#byTimeout.delete(timeout);
    this.#lists.remove(list);
    if (this.#byTimeout.size === 0) this.#disarm();
  }

  #arm(deadline: number): void {
    this.#cancel?.();
    this.#armedFor = deadline;
    const delay = Math.max(0, deadline - this.clock.now());
    this.#cancel = this.clock.schedule(delay, () => this.#expire());
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #expire(): void {
    this.#disarm();
    const now = this.clock.now();
    for (let list = this.#lists.first; list !== undefined && list.rank <= now;) {
      const { first } = list;
      if (first !== undefined && first.deadline <= now) {
        this.remove(first);
        this.passed(first);
      } else if (first !== undefined) {
        // The one it was ranked by has settled.
        this.#lists.remove(list);
        list.rank = first.deadline;
        this.#lists.add(list);
      }
      list = this.#lists.first;
    }
    const next = this.#lists.first?.rank ?? Number.POSITIVE_INFINITY;
    if (next < this.#armedFor) this.#arm(next);
  }
}
