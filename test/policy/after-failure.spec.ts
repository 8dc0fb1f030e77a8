import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FailedRun } from '../../lib/policy/after-failure.js';
import { afterFailure } from '../../lib/policy/after-failure.js';

const policy = { intervalStart: 10, intervalStep: 5, intervalMax: 20, jitter: 0 };
const random = () => 0;

const connection = { recoverableBy: 'connection', retryError: false } as const;
const channel = { recoverableBy: 'channel', retryError: false } as const;
const named = { recoverableBy: 'none', retryError: true } as const;
const other = { recoverableBy: 'none', retryError: false } as const;

const plan = (run: Omit<FailedRun, 'retries'>, retries: number, maxRetries?: number) =>
  afterFailure({ ...run, retries }, maxRetries, policy, random);

const again = (revive: boolean, wait: number) => ({ act: 'run-again', revive, wait }) as const;

describe('after a failed run', () => {
  it.each([
    { by: 'a lost connection', run: connection, spent: { act: 'give-up' }, else: again(true, 10) },
    { by: 'a closed channel', run: channel, spent: { act: 'give-up' }, else: again(true, 10) },
    { by: 'a retry error', run: named, spent: { act: 'rethrow' }, else: again(false, 10) },
    { by: 'anything else', run: other, spent: { act: 'rethrow' }, else: { act: 'rethrow' } },
  ])('by $by', ({ run, spent, else: otherwise }) => {
    expect(plan(run, 0, 0)).toEqual(spent);
    expect(plan(run, 3, 3)).toEqual(spent);
    expect(plan(run, 4, 3)).toEqual(spent);
    expect(plan(run, 0, 1)).toEqual(otherwise);
    expect(plan(run, 0, undefined)).toEqual(otherwise);
  });

  it.each([
    { run: connection, name: 'a lost connection' },
    { run: channel, name: 'a closed channel' },
  ])('$name revives the object also when a retry error names it', ({ run }) => {
    expect(plan({ ...run, retryError: true }, 0)).toEqual(again(true, 10));
  });

  it.each([
    { maxRetries: 0, runs: 1 },
    { maxRetries: 1, runs: 2 },
    { maxRetries: 3, runs: 4 },
  ])('maxRetries $maxRetries allows $runs run(s), whatever fails', ({ maxRetries, runs }) => {
    for (const run of [connection, channel, named]) {
      let retries = 0;
      while (plan(run, retries, maxRetries).act === 'run-again') retries += 1;
      expect(retries + 1).toBe(runs);
    }
  });

  it.each([{ run: connection }, { run: channel }, { run: named }])(
    'without maxRetries there is no limit for $run',
    ({ run }) => {
      expect(plan(run, 1e9, undefined)).toMatchObject({ act: 'run-again', wait: 20 });
    },
  );

  it('the first re-run comes after intervalStart, each further one later, up to the maximum', () => {
    const retries = [0, 1, 2, 3];
    expect(retries.map((count) => plan(channel, count))).toEqual([
      again(true, 10),
      again(true, 15),
      again(true, 20),
      again(true, 20),
    ]);
  });

  it('chance shortens the wait by no more than the jitter', () => {
    const jittered = { ...policy, jitter: 0.5 };
    const planned = afterFailure({ ...connection, retries: 0 }, undefined, jittered, () => 0.5);
    expect(planned).toEqual(again(true, 7.5));
  });

  it('re-runs once for each retry left, and never an error that nothing names', () => {
    const runs = fc.record<FailedRun>({
      recoverableBy: fc.constantFrom('connection', 'channel', 'none'),
      retryError: fc.boolean(),
      retries: fc.nat(20),
    });
    fc.assert(
      fc.property(runs, fc.option(fc.nat(20), { nil: undefined }), (run, maxRetries) => {
        const mayRetry = run.retryError || run.recoverableBy !== 'none';
        const left = maxRetries === undefined || run.retries < maxRetries;
        const { act } = afterFailure(run, maxRetries, policy, random);
        expect(act === 'run-again').toBe(mayRetry && left);
      }),
    );
  });
});
