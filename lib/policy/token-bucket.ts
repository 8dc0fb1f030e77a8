/** How many tokens there are, and when that was counted. Readings of a clock in milliseconds. */
export interface TokenBucket {
  readonly tokens: number;
  readonly at: number;
}

/** One restart a second, and one at once: kombu's `restart_limit`. */
export const restartLimit = { capacity: 1, refill: 1_000 } as const;

/**
 * Takes one token, which come back at one in `refill` milliseconds, up to `capacity`.
 *
 * @returns the bucket afterwards, and how long to wait for the token
 */
export function takeToken(
  bucket: TokenBucket,
  now: number,
  { capacity, refill }: { readonly capacity: number; readonly refill: number } = restartLimit,
): { readonly bucket: TokenBucket; readonly wait: number } {
  const tokens = Math.min(capacity, bucket.tokens + (now - bucket.at) / refill) - 1;
  return { bucket: { tokens, at: now }, wait: tokens >= 0 ? 0 : -tokens * refill };
}
