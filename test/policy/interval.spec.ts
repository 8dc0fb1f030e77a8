import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IntervalPolicy } from '../../lib/policy/interval.js';
import { interval } from '../../lib/policy/interval.js';

const never = () => 0;

const policyOf = (
  intervalStart: number,
  intervalStep: number,
  intervalMax: number,
  jitter = 0,
): IntervalPolicy => ({ intervalStart, intervalStep, intervalMax, jitter });

const duration = fc.double({ min: 0, max: 1e9, noNaN: true });
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const policies = fc.record<IntervalPolicy>({
  intervalStart: duration,
  intervalStep: duration,
  intervalMax: duration,
  jitter: share,
});

describe('interval', () => {
  it.each([
    { start: 1, step: 1, max: 3, waits: [1, 2, 3, 3, 3] },
    { start: 500, step: 500, max: 2_000, waits: [500, 1_000, 1_500, 2_000, 2_000] },
    { start: 5, step: 2, max: 3, waits: [3, 3, 3] },
    { start: 2, step: 2, max: 5, waits: [2, 4, 5, 5] },
    { start: 7, step: 0, max: 10, waits: [7, 7, 7] },
    { start: 0, step: 0, max: 10, waits: [0, 0] },
    { start: 100, step: 100, max: 0, waits: [0, 0] },
  ])('start $start, step $step, max $max waits $waits', ({ start, step, max, waits }) => {
    const policy = policyOf(start, step, max);
    expect(waits.map((_, count) => interval(policy, count, never))).toEqual(waits);
  });

  it('reaches the default maximum of 10,000 with the twentieth wait', () => {
    const policy = policyOf(500, 500, 10_000);
    expect([18, 19, 20, 1e6].map((count) => interval(policy, count, never))).toEqual([
      9_500, 10_000, 10_000, 10_000,
    ]);
  });

  it.each([
    { jitter: 0, random: 0.9, wait: 1_000 },
    { jitter: 0.2, random: 0, wait: 1_000 },
    { jitter: 0.2, random: 0.5, wait: 900 },
    { jitter: 0.5, random: 0.5, wait: 750 },
    { jitter: 1, random: 0.75, wait: 250 },
  ])('jitter $jitter takes its share when chance says $random', ({ jitter, random, wait }) => {
    expect(interval(policyOf(1_000, 0, 5_000, jitter), 0, () => random)).toBe(wait);
  });

  it('takes jitter off the wait that was already cut to the maximum', () => {
    expect(interval(policyOf(9_000, 0, 1_000, 0.5), 0, () => 0.5)).toBe(750);
  });

  it('is never negative and never longer than the maximum, whatever start, step and jitter say', () => {
    fc.assert(
      fc.property(policies, fc.nat(1e6), chance, (policy, count, random) => {
        const wait = interval(policy, count, () => random);
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThanOrEqual(policy.intervalMax);
      }),
    );
  });

  it('loses no more to jitter than its share', () => {
    fc.assert(
      fc.property(policies, fc.nat(1e6), chance, (policy, count, random) => {
        const full = interval({ ...policy, jitter: 0 }, count, never);
        const wait = interval(policy, count, () => random);
        expect(wait).toBeLessThanOrEqual(full);
        expect(wait).toBeGreaterThanOrEqual(full * (1 - policy.jitter));
      }),
    );
  });

  it('never shrinks from one wait to the next when jitter is off', () => {
    fc.assert(
      fc.property(policies, fc.nat(1e6), (policy, count) => {
        const steady = { ...policy, jitter: 0 };
        expect(interval(steady, count + 1, never)).toBeGreaterThanOrEqual(
          interval(steady, count, never),
        );
      }),
    );
  });
});
