/** A wait that doubles: `start`, 2 × `start`, ... up to `max`. Milliseconds. */
export interface BackoffPolicy {
  readonly start: number;
  readonly max: number;
}

/** The wait after `count` earlier ones (0 = the first). */
export const backoff = ({ start, max }: BackoffPolicy, count: number): number =>
  Math.min(max, start * 2 ** Math.min(count, 30));
