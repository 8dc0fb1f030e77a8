import { Injectable } from '@nestjs/common';

/** Who has seen which order: the sets that are compared at the end. */
@Injectable()
export class Ledger {
  readonly confirmed = new Set<string>();
  readonly consumed = new Set<string>();
  readonly rejected: string[] = [];
  published = 0;
  /** Confirmed only after they had been sent a second time. */
  republished = 0;
  /** Deliveries of an order that had been handled before. */
  duplicates = 0;

  get inFlight(): number {
    return this.published - this.confirmed.size - this.rejected.length;
  }

  get missing(): string[] {
    return [...this.confirmed].filter((id) => !this.consumed.has(id));
  }

  consume(id: string): void {
    if (this.consumed.has(id)) this.duplicates += 1;
    this.consumed.add(id);
  }
}
