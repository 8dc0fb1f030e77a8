import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoff } from '../../lib/policy/backoff.js';

describe('backoff', () => {
  it.each([
    { start: 100, max: 5_000, waits: [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000] },
    { start: 1_000, max: 60_000, waits: [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000] },
    { start: 5, max: 3, waits: [3, 3] },
    { start: 7, max: 7, waits: [7, 7] },
    { start: 0, max: 10, waits: [0, 0, 0] },
    { start: 10, max: 0, waits: [0, 0] },
  ])('start $start, max $max waits $waits', ({ start, max, waits }) => {
    expect(waits.map((_, count) => backoff({ start, max }, count))).toEqual(waits);
  });

  it.each([31, 1_024, 1e9])('is the maximum, and a number, after %i waits', (count) => {
    expect(backoff({ start: 1, max: 60_000 }, count)).toBe(60_000);
    expect(backoff({ start: 0, max: 60_000 }, count)).toBe(0);
  });

  it('never shrinks, at most doubles, and never exceeds the maximum', () => {
    const duration = fc.integer({ min: 0, max: 1e9 });
    fc.assert(
      fc.property(duration, duration, fc.nat(2_000), (start, max, count) => {
        const wait = backoff({ start, max }, count);
        const following = backoff({ start, max }, count + 1);
        expect(following).toBeGreaterThanOrEqual(wait);
        expect(following).toBeLessThanOrEqual(2 * wait);
        expect(following).toBeLessThanOrEqual(max);
      }),
    );
  });
});
