import type { Channel } from '../amqp/channel.js';
import {
  abortSignal,
  callable,
  checkOptions,
  count,
  duration,
  either,
  listOf,
  share,
} from '../policy/check-options.js';

/** What is told to an `errback`. */
export interface ErrbackEvent {
  /** The loss, the failed dial, or the error of a run that will be run again. */
  readonly error: Error;
  /** Milliseconds until the next attempt or run. */
  readonly interval: number;
  /** The address of the broker concerned, with its password masked; empty when a run failed by an error of the caller's own. */
  readonly broker: string;
  /** Counts dials since a connection last lived, or runs of the operation. */
  readonly attempt: number;
}

/** An object that holds a channel, and takes another one after a failover. */
export interface Revivable {
  revive(channel: Channel): unknown;
}

/** Which errors of the caller's own are worth another run: classes, or a function that answers. */
export type RetryErrors =
  readonly (abstract new (...args: never[]) => Error)[] | ((error: unknown) => boolean);

/** How an operation is run again. Durations are milliseconds. */
export interface EnsureOptions {
  /**
   * Counts re-runs: 0 is one run only. While connecting again for a re-run, as many further failed rounds are borne as
   * re-runs are left; the same holds for `autoretry`'s first connection. Without it there is no limit; see `timeout`.
   */
  readonly maxRetries?: number | undefined;
  /** For everything together: runs, waits, connecting. Without it there is no limit. */
  readonly timeout?: number | undefined;
  /** Ends it, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told of every loss, failed dial and failed run while the operation is pending. What it throws is logged, nothing else. */
  readonly errback?: ((event: ErrbackEvent) => unknown) | undefined;
  /** Called after each recovery, before the operation runs again, with a live channel. Its failure counts as the run's. */
  readonly onRevive?: ((channel: Channel) => unknown) | undefined;
  /** Errors of the caller's own that are worth another run. */
  readonly retryErrors?: RetryErrors | undefined;
  /** The wait before the first re-run. @default 0 */
  readonly intervalStart?: number | undefined;
  /** What each further wait adds. @default 500 */
  readonly intervalStep?: number | undefined;
  /** No wait is longer. @default 10_000 */
  readonly intervalMax?: number | undefined;
  /** The share of a wait, 0 to 1, that chance may take off it. @default 0.2 */
  readonly jitter?: number | undefined;
}

export const ensureOptionChecks = {
  maxRetries: count(),
  timeout: duration(1),
  signal: abortSignal,
  errback: callable,
  onRevive: callable,
  retryErrors: either(
    listOf('error classes', (one) => typeof one === 'function'),
    callable,
  ),
  intervalStart: duration(),
  intervalStep: duration(),
  intervalMax: duration(),
  jitter: share,
} as const;

/** @throws ConfigurationError naming the option, its value and what is allowed */
export const checkEnsureOptions = (where: string, options: EnsureOptions): void =>
  checkOptions(where, options, ensureOptionChecks);

/** @returns whether the caller's `retryErrors` name this error */
export function isRetryError(retryErrors: RetryErrors | undefined, error: unknown): boolean {
  if (retryErrors === undefined) return false;
  return typeof retryErrors === 'function'
    ? retryErrors(error)
    : retryErrors.some((type) => error instanceof type);
}
