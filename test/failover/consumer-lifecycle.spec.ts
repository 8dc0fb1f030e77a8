import { describe, expect, it } from 'vitest';
import type { ConsumerHooks } from '../../lib/failover/consumer-hooks.js';
import { Queue } from '../../lib/amqp/queue.js';
import { consumerSetting, deferred, never } from './fakes/consumer-setting.js';
import { settled } from './fakes/fake-clock.js';

const hookNames = [
  'onConnectionRevived',
  'extraContext',
  'onConsumeReady',
  'onIteration',
  'onConsumeEnd',
] as const;

/** Hooks that write down when they are called. */
function toldHooks(told: string[]): ConsumerHooks {
  return {
    onConnectionRevived: () => told.push('revived'),
    extraContext: () => {
      told.push('context');
      return { [Symbol.asyncDispose]: async () => void told.push('disposed') };
    },
    onConsumeReady: () => told.push('ready'),
    onIteration: () => told.push('iteration'),
    onConsumeEnd: (reason) => told.push(`end: ${reason}`),
    onConnectionError: (_error, interval, broker) =>
      told.push(`error: ${new URL(broker).hostname} ${interval}`),
  };
}

describe('the lifecycle of a consumer', () => {
  it('connects, revives, declares, sets qos, consumes, enters the context, is ready, iterates, and ends', async () => {
    const told: string[] = [];
    const setting = consumerSetting({ hooks: toldHooks(told), prefetchCount: 7 });
    const { clock, loop, transport } = setting;
    await setting.started();
    expect(told).toEqual(['revived', 'context', 'ready']);
    expect(transport.latest.calls).toEqual(['assertQueue orders', 'prefetch 7', 'consume orders']);
    await clock.advance(2_000);
    expect(told.splice(0)).toEqual(['revived', 'context', 'ready', 'iteration', 'iteration']);
    await loop.stop();
    expect(told).toEqual(['end: stopped', 'disposed']);
    expect(transport.latest.calls.at(-1)).toBe('cancel tag-of-orders');
  });

  it('goes through all of it again after a loss, on the next broker', async () => {
    const told: string[] = [];
    const setting = consumerSetting({ hooks: toldHooks(told) });
    const { transport, loop } = setting;
    await setting.started();
    told.length = 0;
    transport.latest.drop();
    await setting.consumingAgain();
    expect(told.filter((line) => line !== 'iteration')).toEqual([
      'end: lost',
      'error: a 0',
      'disposed',
      'revived',
      'context',
      'ready',
    ]);
    expect(transport.dialled).toEqual(['a', 'b']);
    expect(loop.state).toMatchObject({ broker: String(transport.latest.broker) });
    expect(loop.lastError).toBe(transport.connections[0]?.loss);
  });

  it('keeps its connection when only its channel is closed, and is not revived', async () => {
    const told: string[] = [];
    const setting = consumerSetting({ hooks: toldHooks(told) });
    const { transport, loop } = setting;
    const first = await setting.started();
    told.length = 0;
    const loss = first.channel.closeBy(406);
    await setting.consumingAgain();
    expect(told).toEqual(['end: channel-closed', 'disposed', 'context', 'ready']);
    expect(transport.dialled).toEqual(['a']);
    expect(loop.lastError).toBe(loss);
  });

  it('tells of each failed dial and each loss, with the wait until the next', async () => {
    const told: string[] = [];
    const setting = consumerSetting({ hooks: toldHooks(told) });
    setting.transport.brokers.a = 'dead';
    setting.transport.brokers.b = 'dead';
    void setting.loop.start();
    await setting.clock.advance(1);
    expect(told).toEqual(['error: a 0', 'error: b 1', 'error: a 0', 'error: b 2']);
  });

  it('declares what is registered beside its queues too, and consumes even if that is refused', async () => {
    const setting = consumerSetting();
    const { connection, logger, transport } = setting;
    connection.parts.topology.add(new Queue('dead-letters'), new Queue('forbidden'));
    await connection.connect();
    transport.latest.answer = (call) => (call === 'assertQueue forbidden' ? 403 : 'ok');
    await setting.started();
    expect(transport.latest.calls).toContain('assertQueue dead-letters');
    expect(logger.lines.join()).toContain('not everything that is registered could be declared');
  });
});

describe('a hook that throws', () => {
  it.each(hookNames)('changes nothing: %s', async (name) => {
    const setting = consumerSetting({
      hooks: {
        [name]: () => {
          throw new Error(`${name} failed`);
        },
      },
    });
    const { transport, logger, loop } = setting;
    await setting.started();
    await setting.clock.advance(1_000);
    transport.latest.drop();
    await setting.consumingAgain();
    expect(logger.errors.map(String)).toContain(`Error: ${name} failed`);
    expect(logger.lines.join()).toContain(`Orders.${name}`);
    await loop.stop();
  });

  it('changes nothing when it is onConnectionError, sync or async', async () => {
    for (const onConnectionError of [
      () => {
        throw new Error('failed');
      },
      () => Promise.reject(new Error('failed')),
    ]) {
      const setting = consumerSetting({ hooks: { onConnectionError } });
      await setting.started();
      setting.transport.latest.drop();
      await setting.consumingAgain();
      expect(setting.logger.errors.map(String)).toContain('Error: failed');
    }
  });

  it('changes nothing when the context throws as it is disposed of, or is not disposable', async () => {
    const contexts = [
      {
        [Symbol.dispose]: () => {
          throw new Error('failed');
        },
      },
      {} as Disposable,
      5 as unknown as Disposable,
    ];
    for (const context of contexts) {
      const setting = consumerSetting({ hooks: { extraContext: () => context } });
      await setting.started();
      setting.transport.latest.drop();
      await setting.consumingAgain();
      expect(setting.logger.errors).toHaveLength(1);
    }
  });
});

describe('a hook that never settles', () => {
  it.each(hookNames)('does not keep the consumer from consuming again: %s', async (name) => {
    const setting = consumerSetting({ hooks: { [name]: never }, settleTimeout: 500 });
    const { clock, loop, transport } = setting;
    const started = loop.start();
    await clock.advance(2_000);
    await started;
    transport.latest.drop();
    expect(loop.state.status).toBe('starting');
    await clock.advance(2_000);
    expect(loop.state.status).toBe('consuming');
    expect(setting.consumer.channel.connection).toBe(transport.latest);
  });

  it.each(hookNames)('does not hold up a stop beyond its timeout: %s', async (name) => {
    const setting = consumerSetting({ hooks: { [name]: never } });
    const { clock, loop } = setting;
    void loop.start();
    await clock.advance(2_000);
    let stopped = false;
    void loop.stop({ timeout: 100 }).then(() => {
      stopped = true;
    });
    await clock.advance(100);
    expect(stopped).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('is waited for no longer than its connection lives', async () => {
    let revived = 0;
    const onConnectionRevived = () => {
      revived += 1;
      return revived === 1 ? never() : undefined;
    };
    const setting = consumerSetting({ hooks: { onConnectionRevived } });
    void setting.loop.start();
    await settled();
    setting.transport.latest.drop();
    await setting.clock.advance(1_000);
    expect(setting.loop.state.status).toBe('consuming');
    expect(revived).toBe(2);
  });
});

describe('the extra context', () => {
  it('that comes after the end of its session is disposed of when it comes, and holds up nothing', async () => {
    const told: string[] = [];
    const late = deferred<Disposable>();
    let asked = 0;
    const setting = consumerSetting({
      hooks: {
        extraContext: () => {
          asked += 1;
          return asked === 1 ? late.promise : undefined;
        },
        onConsumeReady: () => told.push('ready'),
      },
    });
    await setting.started();
    setting.transport.latest.drop();
    await setting.consumingAgain();
    expect(told).toEqual(['ready']);
    late.resolve({ [Symbol.dispose]: () => void told.push('disposed') });
    await settled();
    expect(told).toEqual(['ready', 'disposed']);
  });
});

describe('iterations', () => {
  it('do not overlap, and end with the session', async () => {
    let begun = 0;
    let current = deferred();
    const onIteration = () => {
      begun += 1;
      current = deferred();
      return current.promise;
    };
    const setting = consumerSetting({ hooks: { onIteration }, safetyInterval: 10 });
    const { clock, loop } = setting;
    await setting.started();
    await clock.advance(100);
    expect(begun).toBe(1);
    current.resolve();
    await clock.advance(10);
    expect(begun).toBe(2);
    await loop.stop();
    current.resolve();
    await clock.advance(100);
    expect(begun).toBe(2);
  });
});
