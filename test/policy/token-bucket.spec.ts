import { describe, expect, it } from 'vitest';
import { restartLimit, takeToken } from '../../lib/policy/token-bucket.js';

describe('takeToken', () => {
  it.each([
    { tokens: 1, elapsed: 0, wait: 0, left: 0 },
    { tokens: 0, elapsed: 0, wait: 1_000, left: -1 },
    { tokens: 0, elapsed: 400, wait: 600, left: -0.6 },
    { tokens: 0, elapsed: 1_000, wait: 0, left: 0 },
    { tokens: 0, elapsed: 60_000, wait: 0, left: 0 },
    { tokens: -1, elapsed: 1_000, wait: 1_000, left: -1 },
  ])('with $tokens left $elapsed ms ago: waits $wait ms', ({ tokens, elapsed, wait, left }) => {
    const taken = takeToken({ tokens, at: 5 }, 5 + elapsed);
    expect(taken.wait).toBeCloseTo(wait);
    expect(taken.bucket.tokens).toBeCloseTo(left);
    expect(taken.bucket.at).toBe(5 + elapsed);
  });

  it('never holds more than its capacity', () => {
    const limit = { capacity: 3, refill: 100 };
    let bucket = { tokens: 3, at: 0 };
    const waits = Array.from({ length: 5 }, () => {
      const taken = takeToken(bucket, 10_000, limit);
      bucket = taken.bucket;
      return taken.wait;
    });
    expect(waits).toEqual([0, 0, 0, 100, 200]);
  });

  it('is one restart a second, and one at once', () => {
    expect(restartLimit).toEqual({ capacity: 1, refill: 1_000 });
  });
});
