import { expect } from 'vitest';
import type { Ledger } from './ledger.js';

/** What a row of the fault table shows. */
export interface Figures {
  readonly published: number;
  readonly confirmed: number;
  readonly rejected: number;
  readonly unsettled: number;
  readonly missing: number;
  /** Ids delivered with `x-republished`, and publishes that were in flight at a loss. */
  readonly republished: number;
  readonly 'publishes in flight': number;
  /** Ids delivered as `redelivered`, those of them that had been handled, and the prefetches of sessions that ended or that the broker took for alive again. */
  readonly redelivered: number;
  readonly 'acks lost': number;
  readonly 'deliveries in flight': number;
  readonly duplicates: number;
  readonly 'unmarked duplicates': number;
  readonly 'order ok': boolean;
  readonly 'outage ms': number;
}

/** Summed over all losses of connections: what was not settled then, and so may be there twice. */
export interface InFlight {
  publishes: number;
  deliveries: number;
}

export function figuresOf(
  ledger: Ledger,
  inFlight: InFlight,
  found?: ReadonlySet<string>,
): Figures {
  return {
    published: ledger.published,
    confirmed: ledger.confirmed.size,
    rejected: ledger.rejections.length,
    unsettled: ledger.pending,
    missing: ledger.missing(found).length,
    republished: ledger.republished.size,
    'publishes in flight': inFlight.publishes,
    redelivered: ledger.redelivered.size,
    'acks lost': ledger.acksLost.size,
    'deliveries in flight': inFlight.deliveries,
    duplicates: ledger.duplicates,
    'unmarked duplicates': ledger.unmarkedAgain.length,
    'order ok': ledger.disordered.length === 0,
    'outage ms': Math.round(ledger.longestGap),
  };
}

/** Nothing lost, nothing refused, nothing left without an outcome. */
export function expectNothingLost(ledger: Ledger, found?: ReadonlySet<string>): void {
  expect(ledger.firstError).toBeUndefined();
  expect(ledger.pending).toBe(0);
  expect(ledger.missing(found).slice(0, 5)).toEqual([]);
}

/**
 * Only what was in flight at a loss may be there twice, and says so. Acks that the broker had not stored were in flight beside
 * a full prefetch: until it misses the dead node's consumer, the leader that is elected goes on delivering to it.
 */
export function expectMarksWithinFlight(figures: Figures): void {
  const prefetched = figures['deliveries in flight'];
  expect(figures.republished).toBeLessThanOrEqual(figures['publishes in flight']);
  expect(figures.redelivered - figures['acks lost']).toBeLessThanOrEqual(prefetched);
  expect(figures['acks lost']).toBeLessThanOrEqual(prefetched);
}
