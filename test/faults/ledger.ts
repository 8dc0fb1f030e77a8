import type { Message, PublishError } from 'nestjs-failover';

/** The body of every message of the workload: the `n`th publish of a producer. */
export interface Numbered {
  readonly producer: number;
  readonly n: number;
}

export const idOf = ({ producer, n }: Numbered): string => `${producer}/${n}`;

/** A publish that was rejected, and after how many milliseconds. */
export interface Rejection {
  readonly id: Numbered;
  readonly outcome: string;
  readonly after: number;
}

/** What became of each numbered publish, and what was handled in which order. */
export class Ledger {
  readonly confirmed = new Set<string>();
  readonly rejections: Rejection[] = [];
  readonly handled = new Set<string>();
  /** Ids of which a delivery was marked by us as one that may be stored twice. */
  readonly republished = new Set<string>();
  /** Ids of which a delivery was marked by the broker as not the first. */
  readonly redelivered = new Set<string>();
  /** Those of them that had been handled: their ack was still on its way, or not yet on enough nodes. */
  readonly acksLost = new Set<string>();
  /** First occurrences, among deliveries without a mark, that came after a later one of their producer. */
  readonly disordered: string[] = [];
  /** Ids handled more than once although nothing marked the later delivery. */
  readonly unmarkedAgain: string[] = [];
  firstError: Error | undefined;
  published = 0;
  deliveries = 0;
  /** The longest time without a confirm while publishing, in ms, since it was last set to 0. */
  longestGap = 0;
  readonly #unmarked = new Set<string>();
  readonly #last = new Map<number, number>();
  #confirmedAt = performance.now();

  get pending(): number {
    return this.published - this.confirmed.size - this.rejections.length;
  }

  get duplicates(): number {
    return this.deliveries - this.handled.size;
  }

  /** Confirmed, and neither handled nor among those found elsewhere. */
  missing(found: ReadonlySet<string> = new Set()): string[] {
    return [...this.confirmed].filter((id) => !this.handled.has(id) && !found.has(id));
  }

  confirm(id: Numbered): void {
    this.confirmed.add(idOf(id));
    const now = performance.now();
    this.longestGap = Math.max(this.longestGap, now - this.#confirmedAt);
    this.#confirmedAt = now;
  }

  reject(id: Numbered, error: PublishError, after: number): void {
    // Of the errors one is kept, since with their stacks they would weigh more than what is measured.
    this.firstError ??= error;
    this.rejections.push({ id, outcome: error.outcome, after });
  }

  deliver(body: Numbered, message: Message): void {
    const id = idOf(body);
    this.deliveries += 1;
    const republished = message.headers['x-republished'] === true;
    if (republished) this.republished.add(id);
    if (message.redelivered) {
      this.redelivered.add(id);
      if (this.handled.has(id)) this.acksLost.add(id);
    } else if (this.handled.has(id) && !republished) this.unmarkedAgain.push(id);
    this.handled.add(id);
    if (republished || message.redelivered) return;
    if (this.#unmarked.has(id)) return;
    this.#unmarked.add(id);
    const last = this.#last.get(body.producer) ?? -1;
    if (body.n < last) this.disordered.push(`${id} after ${last}`);
    else this.#last.set(body.producer, body.n);
  }
}
