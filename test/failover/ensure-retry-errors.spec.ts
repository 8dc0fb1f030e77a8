import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../lib/errors.js';
import type { EnsureOptions, ErrbackEvent } from '../../lib/failover/ensure-options.js';
import { fakeSetting, watch } from './fakes/fake-setting.js';

/** An operation that fails so many times, then no more. */
const flaky = (failures: number, make: () => unknown) => {
  let runs = 0;
  return {
    count: () => runs,
    run: () => {
      runs += 1;
      if (runs <= failures) throw make();
      return 'done';
    },
  };
};

describe('ensure: retryErrors', () => {
  class Busy extends Error {}

  it.each<[string, EnsureOptions['retryErrors']]>([
    ['classes', [Busy]],
    ['a function', (error) => error instanceof Busy],
  ])('as %s: run again, nothing revived', async (_, retryErrors) => {
    const { connection, clock } = fakeSetting();
    const told: ErrbackEvent[] = [];
    const { run, count } = flaky(2, () => new Busy());
    const revived: unknown[] = [];
    const operation = connection.ensure(null, run, {
      retryErrors,
      onRevive: (channel) => revived.push(channel),
      errback: (event) => told.push(event),
    });
    const done = watch(operation());
    await clock.advance(1_000);
    expect(done.value).toBe('done');
    expect(count()).toBe(3);
    expect(revived).toEqual([]);
    expect(told.map(({ broker, attempt }) => [broker, attempt])).toEqual([
      ['', 1],
      ['', 2],
    ]);
  });

  it('are rethrown untouched when maxRetries is used up; others at once', async () => {
    const { connection, clock } = fakeSetting();
    const busy = new Busy();
    const { run, count } = flaky(9, () => busy);
    const done = watch(connection.ensure(null, run, { retryErrors: [Busy], maxRetries: 2 })());
    await clock.advance(10_000);
    expect(done.error).toBe(busy);
    expect(count()).toBe(3);
    const other = flaky(9, () => new RangeError('other'));
    await expect(connection.ensure(null, other.run, { retryErrors: [Busy] })()).rejects.toThrow(
      'other',
    );
    expect(other.count()).toBe(1);
  });

  it('revive nothing again that was revived since the loss', async () => {
    const { connection, transport, clock } = fakeSetting();
    await connection.ensureConnection();
    const faults = [() => transport.latest.drop(), () => new Busy(), () => new Busy()];
    const revived: unknown[] = [];
    const operation = connection.ensure(
      null,
      async () => {
        const fault = faults.shift();
        if (fault !== undefined) throw fault();
        return 'done';
      },
      { retryErrors: [Busy], onRevive: (channel) => revived.push(channel) },
    );
    const done = watch(operation());
    await clock.advance(10_000);
    expect(done.value).toBe('done');
    expect(revived).toHaveLength(1);
  });

  it('are no failures of a broker', async () => {
    const { connection, clock } = fakeSetting();
    const { run } = flaky(9, () => new Busy());
    const done = watch(connection.ensure(null, run, { retryErrors: [Busy], timeout: 900 })());
    await clock.advance(900);
    expect(done.error).toMatchObject({ failures: [], cause: expect.any(Busy) });
  });

  it('do not keep it going after a policy gave up or the connection was closed', async () => {
    const { connection, clock } = fakeSetting();
    const gaveUp = flaky(9, () => new OperationalError('no', 1, []));
    const retryErrors = [Error];
    await expect(connection.ensure(null, gaveUp.run, { retryErrors })()).rejects.toThrow('no');
    await connection.close();
    let runs = 0;
    const closed = connection.ensure(
      null,
      () => {
        runs += 1;
        return connection.defaultChannel();
      },
      { retryErrors },
    );
    const done = watch(closed());
    await clock.advance(100_000);
    expect(done.outcome).toBe('rejected');
    // A closed connection is told before the operation is begun.
    expect([gaveUp.count(), runs]).toEqual([1, 0]);
  });
});
