import type { Clock } from '../policy/clock.js';
import { LinkedList } from './linked-list.js';
import type { OutboxEntry } from './outbox-entry.js';

/**
 * The deadlines of all publishes of a producer, on one timer. Those with the same timeout end in the order in which they
 * came, so a list for each timeout keeps adding and removing constant; when the timer fires it looks at each list once.
 */
export class Deadlines {
  readonly #byTimeout = new Map<number, LinkedList<OutboxEntry>>();
  #cancel: (() => void) | undefined;
  #armedFor = Number.POSITIVE_INFINITY;

  constructor(
    private readonly clock: Clock,
    private readonly passed: (entry: OutboxEntry) => void,
  ) {}

  add(entry: OutboxEntry): void {
    const { timeout } = entry.policy;
    let list = this.#byTimeout.get(timeout);
    if (list === undefined) {
      list = new LinkedList();
      this.#byTimeout.set(timeout, list);
    }
    list.append(entry.due);
    if (entry.deadline < this.#armedFor) this.#arm(entry.deadline);
  }

  /** Must be called for each entry that settles. */
  remove(entry: OutboxEntry): void {
    const { list } = entry.due;
    entry.due.leave();
    if (list?.size === 0) {
      this.#byTimeout.delete(entry.policy.timeout);
      if (this.#byTimeout.size === 0) this.#disarm();
    }
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
    for (const list of this.#byTimeout.values()) {
      for (let { first } = list; first !== undefined && first.deadline <= now; { first } = list) {
        first.due.leave();
        this.passed(first);
      }
    }
    let next = Number.POSITIVE_INFINITY;
    for (const [timeout, list] of this.#byTimeout) {
      if (list.first === undefined) this.#byTimeout.delete(timeout);
      else next = Math.min(next, list.first.deadline);
    }
    if (next < this.#armedFor) this.#arm(next);
  }
}
