import type { Random } from './clock.js';
import { interval } from './interval.js';
import type { IntervalPolicy } from './interval.js';
import type { Recoverability } from './recoverability.js';

/** A failed run of an operation under `ensure`. */
export interface FailedRun {
  /** What would mend it; `none` also stands for an error that is the caller's own. */
  readonly recoverableBy: Recoverability;
  /** The caller's `retryErrors` name this error. */
  readonly retryError: boolean;
  /** Re-runs so far. */
  readonly retries: number;
}

/** What to do about it. `wait` is in milliseconds and comes before the next run. */
export type AfterFailure =
  | { readonly act: 'rethrow' }
  | { readonly act: 'give-up' }
  | { readonly act: 'run-again'; readonly revive: boolean; readonly wait: number };

/**
 * One planner for every kind of re-run, so that no two counters multiply.
 *
 * | the run failed by | retries used up | else |
 * |---|---|---|
 * | connection | give up | revive on a new connection, run again |
 * | channel | give up | revive on a new channel, run again |
 * | one of `retryErrors` | rethrow it | run again as it is |
 * | anything else | rethrow it | rethrow it |
 *
 * `maxRetries` counts re-runs: 0 is one run, undefined is without limit. The first re-run comes `intervalStart` after the
 * failure, each further one later, so that an operation which fails on every healthy broker is no hot loop.
 */
export function afterFailure(
  run: FailedRun,
  maxRetries: number | undefined,
  policy: IntervalPolicy,
  random: Random,
): AfterFailure {
  if (!run.retryError && run.recoverableBy === 'none') return { act: 'rethrow' };
  if (maxRetries !== undefined && run.retries >= maxRetries) {
    return { act: run.retryError ? 'rethrow' : 'give-up' };
  }
  return {
    act: 'run-again',
    revive: run.recoverableBy !== 'none',
    wait: interval(policy, run.retries, random),
  };
}
