import type { Random } from './clock.js';

/** How long to wait between rounds of attempts, in milliseconds. */
export interface IntervalPolicy {
  /** The first wait. */
  readonly intervalStart: number;
  /** Added with each further wait. */
  readonly intervalStep: number;
  /** A true maximum: no wait is longer, whatever start, step and jitter say. */
  readonly intervalMax: number;
  /** The share of a wait, 0 to 1, that chance may take off it. */
  readonly jitter: number;
}

/**
 * The wait after `count` earlier ones (0 = the first).
 *
 * | start / step / max | waits |
 * |---|---|
 * | 1 / 1 / 3 | 1, 2, 3, 3, ... |
 * | 500 / 500 / 10,000 | 500, 1,000, ... 10,000, 10,000, ... |
 * | 5 / 2 / 3 | 3, 3, ... |
 *
 * Jitter only shortens, so that a maximum stays one and clients that were cut off together spread out.
 */
export function interval(policy: IntervalPolicy, count: number, random: Random): number {
  const full = Math.min(policy.intervalMax, policy.intervalStart + count * policy.intervalStep);
  return full * (1 - policy.jitter * random());
}
