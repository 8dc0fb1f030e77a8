import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Channel } from '../../lib/amqp/channel.js';
import {
  isConfigurationError,
  isOperationalError,
  OperationalError,
  TopologyError,
} from '../../lib/errors.js';
import { operationGaveUp, operationTimedOut } from '../../lib/failover.messages.js';
import type { EnsureOptions, ErrbackEvent, Revivable } from '../../lib/failover/ensure-options.js';
import { settled } from './fakes/fake-clock.js';
import { fakeSetting, watch } from './fakes/fake-setting.js';

const A = 'amqp://guest:**@a:5672/%2F';

/** Holds a channel, as user code does, and writes down on which broker it was revived. */
class Holder implements Revivable {
  channel: Channel | undefined;
  readonly revivedOn: string[] = [];

  revive(channel: Channel): void {
    this.channel = channel;
    this.revivedOn.push(channel.connection.broker.hostname);
  }
}

/** A connected setting with an operation that asks the broker for a queue on the holder's channel. */
async function ensured(options: EnsureOptions = {}, urls = 'amqp://a;amqp://b;amqp://c') {
  const setting = fakeSetting({ urls });
  const { connection } = setting;
  await connection.ensureConnection();
  const holder = new Holder();
  holder.channel = await connection.defaultChannel();
  const runs: string[] = [];
  async function check(this: unknown, queue: string) {
    runs.push(queue);
    return (await holder.channel?.checkQueue(queue))?.queue;
  }
  return { ...setting, holder, runs, operation: connection.ensure(holder, check, options) };
}

/** As a socket's error looks, but it is the caller's own. */
const resetLike = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

/** Answers that close so many channels, then no more. */
const failing = (codes: number) => {
  const left = Array.from({ length: codes }, () => 405);
  return () => left.shift() ?? ('ok' as const);
};

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

describe('ensure: a connection that is lost', () => {
  it('before the operation: it is run again on the next broker, revived first', async () => {
    const { transport, operation, holder, runs } = await ensured();
    transport.latest.drop();
    expect(await operation('orders')).toBe('orders');
    expect(runs).toEqual(['orders', 'orders']);
    expect(holder.revivedOn).toEqual(['b']);
    expect(transport.latest.calls).toEqual(['checkQueue orders']);
  });

  it('during the operation: the same', async () => {
    const { transport, operation, holder, runs } = await ensured();
    transport.latest.answer = () => 'hang';
    const pending = operation('orders');
    await settled();
    transport.latest.drop();
    expect(await pending).toBe('orders');
    expect(runs).toHaveLength(2);
    expect(holder.revivedOn).toEqual(['b']);
  });

  it('after the operation: it is run once, and nothing is revived', async () => {
    const { transport, operation, holder, runs } = await ensured();
    await operation('orders');
    transport.latest.drop();
    await settled();
    expect(runs).toHaveLength(1);
    expect(holder.revivedOn).toEqual([]);
  });

  it.each(['revive', 'onRevive'] as const)(
    'during %s: one more retry, revived anew on the one after',
    async (where) => {
      const revivedOn: string[] = [];
      const cutOnce = (channel: Channel) => {
        revivedOn.push(channel.connection.broker.hostname);
        return revivedOn.length === 1
          ? // A question that the loss leaves unanswered.
            (transport.latest.drop(), channel.checkQueue('x'))
          : undefined;
      };
      const { connection, transport, clock } = fakeSetting({ urls: 'amqp://a;amqp://b;amqp://c' });
      await connection.ensureConnection();
      const told: ErrbackEvent[] = [];
      let runs = 0;
      const operation = connection.ensure(
        where === 'revive' ? { revive: cutOnce } : null,
        async () => {
          runs += 1;
          const channel = await connection.defaultChannel();
          if (runs === 1) {
            transport.latest.drop();
            await channel.checkQueue('x');
          }
          return channel.connection.broker.hostname;
        },
        {
          maxRetries: 2,
          errback: (event) => told.push(event),
          onRevive: where === 'onRevive' ? cutOnce : undefined,
        },
      );
      const done = watch(operation());
      await clock.advance(1_000);
      expect(done.value).toBe('c');
      expect(revivedOn).toEqual(['b', 'c']);
      expect(runs).toBe(2);
      expect(told.map(({ broker }) => broker)).toEqual([A, A.replace('@a', '@b')]);
    },
  );

  it('twice in a row: it is run three times, with a growing backoff, and told once a loss', async () => {
    const told: ErrbackEvent[] = [];
    const { transport, operation, clock, runs } = await ensured({
      errback: (event) => told.push(event),
      jitter: 0,
    });
    transport.latest.answer = () => 'hang';
    transport.brokers['b'] = 'hung';
    const done = watch(operation('orders'));
    await settled();
    const losses = [transport.latest.drop(320)];
    await settled();
    transport.lastDial.accept().answer = () => 'hang';
    await settled();
    expect(runs).toHaveLength(2);
    losses.push(transport.latest.drop());
    await clock.advance(499);
    expect(runs).toHaveLength(2);
    await clock.advance(1);
    expect(runs).toHaveLength(3);
    expect(done.value).toBe('orders');
    expect(told.map(({ error }) => error)).toEqual(losses);
  });

  it('is told of once, together with each failed dial', async () => {
    const told: ErrbackEvent[] = [];
    const { transport, operation } = await ensured({ errback: (event) => told.push(event) });
    transport.brokers['b'] = 'dead';
    transport.latest.answer = () => 'hang';
    const done = watch(operation('orders'));
    await settled();
    transport.latest.drop();
    await settled();
    expect(done.outcome).toBe('resolved');
    expect(told.map(({ broker, error }) => [broker, error.message])).toEqual([
      [A, expect.stringContaining('lost')],
      [A.replace('@a', '@b'), 'b is unreachable'],
    ]);
  });

  it('is told of even if the operation does not notice it', async () => {
    const told: ErrbackEvent[] = [];
    const { connection, transport } = fakeSetting();
    await connection.ensureConnection();
    let finish = (_: string): void => undefined;
    const operation = connection.ensure(
      null,
      () => new Promise<string>((resolve) => (finish = resolve)),
      { errback: (event) => told.push(event) },
    );
    const pending = operation();
    transport.latest.drop();
    await settled();
    finish('done');
    expect(await pending).toBe('done');
    expect(told).toHaveLength(1);
  });

  it.each([402, 501, 502, 503, 504, 505, 530, 540])(
    'with %i, which is our own fault, is not run again',
    async (code) => {
      const { transport, operation, runs } = await ensured();
      transport.latest.answer = () => 'hang';
      const pending = watch(operation('orders'));
      await settled();
      const loss = transport.latest.drop(code);
      await settled();
      expect(pending.error).toBe(loss);
      expect(runs).toHaveLength(1);
    },
  );

  it.each([320, 506, 541])('with %i is run again', async (code) => {
    const { transport, operation, runs } = await ensured();
    transport.latest.answer = () => 'hang';
    const pending = operation('orders');
    await settled();
    transport.latest.drop(code);
    await pending;
    expect(runs).toHaveLength(2);
  });

  it('is waited for through a refusal, since a password may be rotated right now', async () => {
    const { transport, operation, clock } = await ensured({}, 'amqp://a');
    transport.brokers['a'] = 'refuses';
    transport.latest.drop();
    const pending = watch(operation('orders'));
    await clock.advance(20_000);
    expect(pending.outcome).toBe('pending');
    transport.brokers['a'] = 'up';
    await clock.advance(20_000);
    expect(pending.value).toBe('orders');
  });
});

describe('ensure: a channel that is closed', () => {
  it.each([405, 311, 313, 541])(
    'with %i is replaced, and the operation run again',
    async (code) => {
      const { transport, operation, holder, runs } = await ensured();
      const old = holder.channel;
      const codes: (number | 'ok')[] = [code];
      transport.latest.answer = () => codes.shift() ?? 'ok';
      expect(await operation('orders')).toBe('orders');
      expect(runs).toHaveLength(2);
      expect(holder.revivedOn).toEqual(['a']);
      expect(holder.channel).not.toBe(old);
      expect(transport.dialled).toEqual(['a']);
    },
  );

  it.each([403, 404, 406])(
    'with %i, which tells of the queue, is rethrown untouched',
    async (code) => {
      const told: ErrbackEvent[] = [];
      const { transport, operation, holder, runs } = await ensured({
        errback: (event) => told.push(event),
      });
      transport.latest.answer = () => code;
      const failed = watch(operation('orders'));
      await settled();
      expect(failed.error).toBe(holder.channel?.loss);
      expect(runs).toHaveLength(1);
      expect(told).toEqual([]);
    },
  );
});

describe('ensure: whose error it is', () => {
  it("the caller's own, though it looks like a socket's and the connection is lost: run once, untouched", async () => {
    const { connection, transport } = fakeSetting();
    await connection.ensureConnection();
    const error = resetLike();
    let runs = 0;
    const operation = connection.ensure(null, async () => {
      runs += 1;
      transport.latest.drop();
      throw error;
    });
    await expect(operation()).rejects.toBe(error);
    await settled();
    expect(runs).toBe(1);
  });

  it('one of ours in the chain of causes is retried', async () => {
    const { connection, transport } = fakeSetting();
    await connection.ensureConnection();
    let runs = 0;
    const operation = connection.ensure(null, async () => {
      runs += 1;
      if (runs > 1) return 'done';
      const cause = transport.latest.drop();
      throw new Error('cannot save', {
        cause: new TopologyError('cannot declare', 'queue "q"', undefined, { cause }),
      });
    });
    expect(await operation()).toBe('done');
  });

  it('behind an OperationalError is not retried: where one policy gave up, no other goes on', async () => {
    const { connection, transport } = fakeSetting();
    await connection.ensureConnection();
    let runs = 0;
    const inner = connection.ensure(
      null,
      async () => {
        runs += 1;
        throw transport.latest.drop();
      },
      { maxRetries: 0 },
    );
    const outer = connection.ensure(null, async () => {
      try {
        return await inner();
      } catch (cause) {
        throw new Error('inner failed', { cause });
      }
    });
    await expect(outer()).rejects.toThrow('inner failed');
    expect(runs).toBe(1);
  });

  it('a chain of causes that is a ring ends', async () => {
    const { connection } = fakeSetting();
    const ring = new Error('ring');
    ring.cause = ring;
    await expect(connection.ensure(null, () => Promise.reject(ring))()).rejects.toBe(ring);
  });

  it('a fault of another connection is not retried', async () => {
    const { connection } = fakeSetting();
    const other = fakeSetting();
    await connection.ensureConnection();
    await other.connection.ensureConnection();
    let runs = 0;
    const operation = connection.ensure(null, async () => {
      runs += 1;
      throw other.transport.latest.drop();
    });
    await expect(operation()).rejects.toBe(other.transport.latest.loss);
    expect(runs).toBe(1);
  });

  it('a fault of an earlier connection of this one is retried', async () => {
    const { connection, transport } = fakeSetting();
    await connection.ensureConnection();
    const loss = transport.latest.drop();
    await connection.ensureConnection();
    let runs = 0;
    const operation = connection.ensure(null, async () => {
      runs += 1;
      if (runs === 1) throw loss;
      return 'done';
    });
    expect(await operation()).toBe('done');
  });

  it.each([
    [
      'a synchronous throw',
      () => {
        throw new TypeError('mine');
      },
    ],
    [
      'a thrown string',
      () => {
        // oxlint-disable-next-line typescript/only-throw-error -- users do
        throw 'mine';
      },
    ],
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- users do
    ['undefined as a rejection', () => Promise.reject(undefined)],
  ])('%s is passed on', async (_, operation) => {
    const { connection } = fakeSetting();
    const failed = watch(connection.ensure(null, operation)());
    await settled();
    expect(failed.outcome).toBe('rejected');
  });
});

describe('ensure: how often', () => {
  it.each([
    ['no failure', 0, 0, 1],
    ['one failure', 1, 1, 2],
    ['two failures', 2, 2, 3],
  ])('%s within maxRetries %i is borne', async (_, failures, maxRetries, expected) => {
    const { transport, operation, runs, clock } = await ensured({ maxRetries });
    transport.latest.answer = failing(failures);
    const done = watch(operation('orders'));
    await clock.advance(100_000);
    expect(done.value).toBe('orders');
    expect(runs).toHaveLength(expected);
  });

  it.each([
    [0, 1],
    [1, 2],
    [2, 3],
  ])('after maxRetries %i, which is %i runs, it gives up', async (maxRetries, expected) => {
    const { transport, operation, runs, clock } = await ensured({ maxRetries });
    transport.latest.answer = failing(9);
    const done = watch(operation('orders'));
    await clock.advance(100_000);
    expect(runs).toHaveLength(expected);
    const { error } = done as { error: OperationalError };
    expect(error).toSatisfy(isOperationalError);
    expect(error.attempts).toBe(expected);
    const reason = (error.cause as Error).message;
    expect(error.message).toBe(operationGaveUp('check', expected, reason, error.failures));
  });

  it('maxRetries undefined goes on without limit, the waits growing up to intervalMax', async () => {
    const intervals: number[] = [];
    const { transport, operation, runs, clock } = await ensured({
      errback: ({ interval }) => intervals.push(interval),
      jitter: 0,
      intervalStep: 100,
      intervalMax: 250,
    });
    transport.latest.answer = failing(6);
    const done = watch(operation('orders'));
    await clock.advance(100_000);
    expect(done.value).toBe('orders');
    expect(runs).toHaveLength(7);
    expect(intervals).toEqual([0, 100, 200, 250, 250, 250]);
  });

  it('while connecting again, as many failed rounds are borne as re-runs are left', async () => {
    const { transport, operation, clock } = await ensured({ maxRetries: 2 }, 'amqp://a');
    transport.brokers['a'] = 'dead';
    transport.latest.drop();
    const done = watch(operation('orders'));
    await clock.advance(1_000);
    expect(done.error).toSatisfy(isOperationalError);
  });

  it('timeout ends it while the operation hangs, and what it still does is not heard of', async () => {
    const { connection, clock } = fakeSetting();
    await connection.ensureConnection();
    let fail = (_: Error): void => undefined;
    const operation = connection.ensure(
      null,
      function hangs() {
        return new Promise<void>((_, reject) => (fail = reject));
      },
      { timeout: 700 },
    );
    const done = watch(operation());
    await clock.advance(699);
    expect(done.outcome).toBe('pending');
    await clock.advance(1);
    expect(done.error).toSatisfy(isOperationalError);
    expect((done.error as Error).message).toBe(operationTimedOut('hangs', 700));
    // An unhandled rejection would fail the run.
    fail(new Error('late'));
    await settled();
    expect(clock.pending).toBe(0);
  });

  it('timeout during a revival that hangs: the operation is not begun afterwards', async () => {
    const { transport, operation, clock, runs, holder } = await ensured({ timeout: 700 });
    transport.brokers['b'] = 'hung';
    transport.latest.drop();
    const done = watch(operation('orders'));
    await settled();
    const next = transport.lastDial.accept();
    next.openHangs = true;
    await clock.advance(700);
    expect(done.error).toSatisfy(isOperationalError);
    next.drop();
    await clock.advance(10_000);
    expect(runs).toHaveLength(1);
    expect(holder.revivedOn).toEqual([]);
  });

  it('signal ends it with its reason: during a run, a pause, and before all', async () => {
    const reason = new Error('stopping');
    const aborter = new AbortController();
    const { transport, operation, runs } = await ensured({ signal: aborter.signal });
    transport.latest.answer = () => 'hang';
    const running = watch(operation('orders'));
    transport.latest.answer = failing(9);
    const pausing = watch(operation('invoices'));
    await settled();
    aborter.abort(reason);
    await settled();
    expect([running.error, pausing.error]).toEqual([reason, reason]);
    const before = runs.length;
    await expect(operation('late')).rejects.toBe(reason);
    expect(runs).toHaveLength(before);
  });

  it('an errback that aborts the signal prevents the next run', async () => {
    const aborter = new AbortController();
    const { transport, operation, runs } = await ensured({
      signal: aborter.signal,
      errback: () => aborter.abort(new Error('enough')),
    });
    transport.latest.answer = failing(1);
    await expect(operation('orders')).rejects.toThrow('enough');
    expect(runs).toHaveLength(1);
  });

  it('an errback that throws changes nothing', async () => {
    const { transport, operation, logger } = await ensured({
      errback: () => {
        throw new Error('errback is broken');
      },
    });
    transport.latest.answer = failing(1);
    expect(await operation('orders')).toBe('orders');
    expect(logger.errors).toEqual([new Error('errback is broken')]);
  });
});

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
    expect([gaveUp.count(), runs]).toEqual([1, 1]);
  });
});

describe('ensure: the function that it returns', () => {
  it('keeps this, arguments and result, and is named after the operation', async () => {
    const { connection } = fakeSetting();
    const holder = Object.assign(new Holder(), { prefix: 'got ' });
    function join(this: typeof holder, text: string, count: number) {
      return this.prefix + text.repeat(count);
    }
    const operation = connection.ensure(holder, join);
    expectTypeOf(operation).toEqualTypeOf<(text: string, count: number) => Promise<string>>();
    expect(await operation('x', 3)).toBe('got xxx');
    expect(operation.name).toBe('join(ensured)');
  });

  it('has the types of the operation', () => {
    const { connection } = fakeSetting();
    expectTypeOf(connection.ensure(null, async (id: number) => ({ id }))).toEqualTypeOf<
      (id: number) => Promise<{ id: number }>
    >();
    expectTypeOf(connection.ensure(null, () => undefined)).toEqualTypeOf<
      () => Promise<undefined>
    >();
    // @ts-expect-error an object without revive(channel) is no revivable
    expect(() => connection.ensure({}, () => 1)).toThrow('revive');
  });

  it('is independent in each of its calls', async () => {
    const { transport, operation } = await ensured({ maxRetries: 1, jitter: 0 });
    const codes: (number | 'ok')[] = [405, 'ok', 405, 'ok'];
    transport.latest.answer = () => codes.shift() ?? 'ok';
    expect(await operation('first')).toBe('first');
    expect(await operation('second')).toBe('second');
  });

  it.each<[string, unknown, unknown, unknown]>([
    ['no operation', null, undefined, {}],
    ['an operation that is no function', null, {}, {}],
    ['undefined as revivable', undefined, () => 1, {}],
    ['a revivable without revive', {}, () => 1, {}],
    ['a negative maxRetries', null, () => 1, { maxRetries: -1 }],
    ['a broken maxRetries', null, () => 1, { maxRetries: 1.5 }],
    ['a timeout of 0', null, () => 1, { timeout: 0 }],
    ['NaN as interval', null, () => 1, { intervalStep: Number.NaN }],
    ['jitter above 1', null, () => 1, { jitter: 2 }],
    ['a signal that is none', null, () => 1, { signal: {} }],
    ['an errback that is none', null, () => 1, { errback: 'x' }],
    ['retryErrors that are no classes', null, () => 1, { retryErrors: ['Error'] }],
    ['an unknown option', null, () => 1, { maxRetrys: 1 }],
  ])('is refused at once for %s', (_, revivable, operation, options) => {
    const { connection } = fakeSetting();
    const make = () => connection.ensure(revivable as never, operation as never, options as never);
    expect(make).toThrow(expect.toSatisfy(isConfigurationError) as never);
  });
});
