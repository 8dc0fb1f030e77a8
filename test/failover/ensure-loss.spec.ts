import { describe, expect, it } from 'vitest';
import type { Channel } from '../../lib/amqp/channel.js';
import type { ErrbackEvent } from '../../lib/failover/ensure-options.js';
import { ensured } from './fakes/ensured-setting.js';
import { settled } from './fakes/fake-clock.js';
import { fakeSetting, watch } from './fakes/fake-setting.js';

const A = 'amqp://guest:**@a:5672/%2F';

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
    let finish: ((result: string) => void) | undefined;
    const operation = connection.ensure(
      null,
      () => new Promise<string>((resolve) => (finish = resolve)),
      { errback: (event) => told.push(event) },
    );
    const pending = operation();
    transport.latest.drop();
    await settled();
    finish?.('done');
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

describe('ensure: a channel closed by an error, whose connection is lost as well', () => {
  it('is a loss: what the code tells of the queue, it tells of the broker that is gone', async () => {
    const { transport, operation, runs } = await ensured();
    const { latest } = transport;
    latest.answer = () => {
      queueMicrotask(() => latest.drop());
      return 404;
    };
    expect(await operation('orders')).toBe('orders');
    expect(runs).toHaveLength(2);
  });
});
