import { describe, expect, it } from 'vitest';
import { Queue } from '../../lib/amqp/queue.js';
import { AmqpError, isConnectionClosedError, isTopologyError } from '../../lib/errors.js';
import { consumerSetting, deferred, orders } from './fakes/consumer-setting.js';
import { settled } from './fakes/fake-clock.js';
import { watch } from './fakes/fake-setting.js';

const steps = ['assertQueue', 'prefetch', 'consume'];
const codes = [403, 404, 405, 406, undefined];
const refusals = steps.flatMap((step) =>
  codes.filter((code) => code !== undefined).map((code) => ({ step, code })),
);

describe('a start that is refused', () => {
  it.each(refusals.filter(({ step, code }) => step !== 'assertQueue' || code !== 406))(
    'is tried again for ever, with backoff and loudly: $code for $step',
    async ({ step, code }) => {
      const setting = consumerSetting();
      const { clock, connection, loop, logger, transport } = setting;
      await connection.connect();
      transport.latest.answer = (call) => (call.startsWith(step) ? code : 'ok');
      const start = watch(loop.start());
      await settled();
      expect(loop.state).toMatchObject({ status: 'waiting', until: 1, error: loop.lastError });
      expect(loop.lastError).toMatchObject({ code });
      await clock.advance(60_000);
      // 1, 2, 3, ... grow beyond the limit of one a second only later; there is one at once and one more declaring all.
      const refused = transport.latest.calls.filter((call) => call.startsWith(step));
      expect(refused.length).toBeGreaterThan(10);
      expect(refused.length).toBeLessThanOrEqual(62);
      const told = logger.lines.filter((line) => line.includes('cannot consume'));
      expect(told).toHaveLength(refused.length - (step === 'assertQueue' ? 1 : 0));
      expect(start.outcome).toBe('pending');
      transport.latest.answer = () => 'ok';
      await clock.advance(60_000);
      expect(loop.state.status).toBe('consuming');
      expect(start.outcome).toBe('resolved');
      expect(transport.dialled).toEqual(['a']);
      expect(transport.latest.openChannels).toHaveLength(1);
    },
  );

  it('is fatal when a queue differs (406) at the first start, says so, and can be stopped', async () => {
    const setting = consumerSetting();
    const { clock, connection, loop, transport } = setting;
    await connection.connect();
    transport.latest.answer = (call) => (call === 'assertQueue orders' ? 406 : 'ok');
    const start = watch(loop.start());
    await clock.advance(60_000);
    expect(isTopologyError(start.error)).toBe(true);
    expect(loop.state).toMatchObject({ status: 'failed', error: start.error });
    expect(watch(loop.start())).toBeDefined();
    await loop.stop();
    expect(loop.state.status).toBe('stopped');
  });

  it('is no end when it is to give up on nothing: a mismatch is tried again, loudly, until it is mended', async () => {
    const { clock, connection, loop, logger, transport } = consumerSetting();
    await connection.connect();
    transport.latest.answer = (call) => (call === 'assertQueue orders' ? 406 : 'ok');
    const start = watch(loop.start({ givesUpOn: 'nothing' }));
    await clock.advance(60_000);
    expect(start.outcome).toBe('pending');
    expect(loop.lastError).toMatchObject({ code: 406 });
    const told = logger.lines.filter((line) => line.includes('cannot consume'));
    expect(told.length).toBeGreaterThan(10);
    expect(told.length).toBeLessThanOrEqual(62);
    transport.latest.answer = () => 'ok';
    await clock.advance(60_000);
    expect(loop.state.status).toBe('consuming');
    expect(start.outcome).toBe('resolved');
  });

  it.each(steps.flatMap((step) => [403, 404, 406].map((code) => ({ step, code }))))(
    'is fatal at once when it is to give up on any failure: $code for $step',
    async ({ step, code }) => {
      const { connection, loop, transport } = consumerSetting();
      await connection.connect();
      transport.latest.answer = (call) => (call.startsWith(step) ? code : 'ok');
      const start = watch(loop.start({ givesUpOn: 'failure' }));
      await settled();
      expect(start.error).toMatchObject({ code });
      expect(loop.state).toMatchObject({ status: 'failed', error: start.error });
    },
  );

  it('is fatal then too when its connection is lost, but not after it has consumed', async () => {
    const lost = consumerSetting();
    await lost.connection.connect();
    lost.transport.latest.answer = (call) => (call.startsWith('consume') ? 'hang' : 'ok');
    const start = watch(lost.loop.start({ givesUpOn: 'failure' }));
    await settled();
    lost.transport.latest.drop();
    await settled();
    expect(start.outcome).toBe('rejected');
    expect(lost.loop.state.status).toBe('failed');

    const { clock, connection, loop, transport } = consumerSetting();
    await connection.connect();
    await loop.start({ givesUpOn: 'failure' });
    transport.latest.answer = (call) => (call.startsWith('consume') ? 404 : 'ok');
    transport.latest.channels.at(-1)?.closeBy(404);
    await clock.advance(5_000);
    expect(loop.state.status).toBe('waiting');
    transport.latest.answer = () => 'ok';
    await clock.advance(20_000);
    expect(loop.state.status).toBe('consuming');
  });

  it('is not for start() to take an end that there is not', () => {
    const { loop } = consumerSetting();
    expect(() => loop.start({ givesUpOn: 'everything' as 'nothing' })).toThrow(
      "ConsumerLoop.start: givesUpOn is \"everything\"; allowed: 'mismatch' | 'failure' | 'nothing'",
    );
    expect(loop.state.status).toBe('idle');
  });

  it.each(codes.map((code) => ({ code })))(
    'is never fatal once it has consumed: channel closed with $code, then refused with it',
    async ({ code }) => {
      const setting = consumerSetting();
      const { clock, loop, transport } = setting;
      const first = await setting.started();
      transport.latest.answer = (call) => (call.includes('orders') ? (code ?? 'ok') : 'ok');
      first.channel.closeBy(code);
      await clock.advance(5_000);
      expect(loop.state.status).toBe(code === undefined ? 'consuming' : 'waiting');
      transport.latest.answer = () => 'ok';
      await clock.advance(20_000);
      expect(loop.state.status).toBe('consuming');
    },
  );

  it('leaves no handler behind that cannot ack: the channel of a half registered consumer lives until they have settled', async () => {
    const done = deferred();
    const setting = consumerSetting({
      queues: [orders, new Queue('refunds')],
      handle: () => done.promise,
    });
    const { clock, connection, loop, transport, channels } = setting;
    await connection.connect();
    transport.latest.answer = (call) => (call === 'consume refunds' ? 'hang' : 'ok');
    void loop.start();
    await settled();
    const { consumer } = setting;
    consumer.deliver();
    await settled();
    expect(loop.state.status).toBe('starting');
    consumer.cancel('orders');
    transport.latest.answer = () => 'ok';
    const stopped = loop.stop();
    await settled();
    done.resolve();
    await stopped;
    expect(consumer.settled).toEqual(['ack 1']);
    expect(consumer.channel.loss).toBeDefined();
    expect(channels.every(({ channel }) => channel.loss !== undefined)).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('counts as failed when the broker cancels it before it is registered with every queue', async () => {
    const setting = consumerSetting({ queues: [orders, new Queue('refunds')] });
    const { clock, connection, loop, transport } = setting;
    await connection.connect();
    let release: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      transport.latest.answer = (call) => {
        if (call === 'consume refunds') resolve();
        return call === 'consume refunds' ? 'hang' : 'ok';
      };
    });
    const open = transport.latest.openChannel.bind(transport.latest);
    transport.latest.openChannel = async () => {
      const channel = await open();
      const consume = channel.consume.bind(channel);
      const registering = (queue: string, ...rest: []) => {
        if (queue === 'orders') return consume(queue, ...rest);
        void consume(queue, ...rest).catch(() => undefined);
        return new Promise((resolve) => {
          release = () => resolve({ consumerTag: 'late' });
        });
      };
      return Object.assign(channel, { consume: registering });
    };
    const start = watch(loop.start());
    await asked;
    const { consumer } = setting;
    consumer.cancel('orders');
    release();
    await settled();
    expect(loop.lastError?.message).toContain('while it was registering');
    expect(consumer.channel.loss).toBeDefined();
    expect(loop.state.status).toBe('waiting');
    expect(start.outcome).toBe('pending');
    transport.latest.openChannel = open;
    transport.latest.answer = () => 'ok';
    await clock.advance(2_000);
    expect(start.outcome).toBe('resolved');
  });

  it('waits longer each time, and begins with the first wait after it has consumed', async () => {
    const setting = consumerSetting();
    const { clock, connection, loop, transport } = setting;
    await connection.connect();
    transport.latest.answer = (call) => (call.startsWith('consume') ? 403 : 'ok');
    void loop.start();
    await clock.advance(3_000);
    const lines = (): string[] =>
      setting.logger.lines.flatMap((line) => /Trying again in \d+ ms/.exec(line) ?? []);
    expect(lines().slice(0, 3)).toEqual([1, 2, 3].map((wait) => `Trying again in ${wait} ms`));
    transport.latest.answer = () => 'ok';
    await clock.advance(2_000);
    expect(loop.state.status).toBe('consuming');
    const before = lines().length;
    transport.latest.answer = (call) => (call.startsWith('consume') ? 403 : 'ok');
    setting.consumer.channel.closeBy(403);
    await clock.advance(1_000);
    expect(lines()[before]).toBe('Trying again in 1 ms');
  });

  it('is tried at once on the next broker when its connection was lost meanwhile', async () => {
    const waits = { intervalStart: 50_000, intervalMax: 50_000 };
    const setting = consumerSetting({}, waits);
    const { clock, connection, loop, transport } = setting;
    await connection.connect();
    transport.latest.answer = (call) => (call.startsWith('consume') ? 'hang' : 'ok');
    void loop.start();
    await settled();
    transport.latest.drop();
    await clock.advance(1_000);
    expect(loop.state).toMatchObject({
      status: 'consuming',
      broker: String(transport.latest.broker),
    });
  });

  it.each<[string, number | undefined, number]>([
    ['is missing (404): declares it again', 404, 2],
    ['is locked (405): declares nothing again', 405, 1],
    [
      'is led by a node that hangs, and the channel closes without a code: declares nothing again',
      541,
      1,
    ],
  ])('whose queue %s', async (_what, code, declared) => {
    const setting = consumerSetting({ handle: () => undefined });
    const { transport, connection, clock } = setting;
    await connection.connect();
    let failures = 1;
    transport.latest.answer = (call) => {
      if (!call.startsWith('consume') || failures === 0) return 'ok';
      failures -= 1;
      return code ?? 'ok';
    };
    void setting.loop.start();
    await clock.advance(5_000);
    const { calls } = transport.latest;
    expect(setting.loop.state.status).toBe('consuming');
    expect(calls.filter((call) => call.startsWith('consume'))).toHaveLength(2);
    expect(calls.filter((call) => call.startsWith('assertQueue'))).toHaveLength(declared);
  });

  it('declares its queue again, which may have been deleted since', async () => {
    const setting = consumerSetting();
    const { clock, connection, loop, transport } = setting;
    await connection.connect();
    transport.latest.answer = (call) => (call.startsWith('consume') ? 404 : 'ok');
    void loop.start();
    await clock.advance(3_000);
    const calls = (method: string) =>
      transport.latest.calls.filter((call) => call.startsWith(method)).length;
    expect(calls('consume')).toBeGreaterThan(2);
    expect(calls('assertQueue')).toBe(calls('consume'));
  });

  it('closes a channel that is opened after the consumer was stopped', async () => {
    const setting = consumerSetting();
    const { connection, loop, transport } = setting;
    await connection.connect();
    await connection.declare(orders);
    const opening = deferred();
    const open = transport.latest.openChannel.bind(transport.latest);
    transport.latest.openChannel = async () => {
      await opening.promise;
      return open();
    };
    void loop.start();
    await settled();
    await loop.stop();
    opening.resolve();
    await settled();
    expect(transport.latest.channels.length).toBeGreaterThan(1);
    expect(transport.latest.openChannels).toEqual([]);
  });
});

describe('the restart limit', () => {
  it('lets a consumer start once a second, however short its sessions are', async () => {
    const setting = consumerSetting();
    const { clock, transport } = setting;
    await setting.started();
    const starts: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      setting.consumer.channel.closeBy(541);
      for (let ms = 0; ms < 1_000 && setting.loop.state.status !== 'consuming'; ms += 100) {
        await clock.advance(100);
      }
      starts.push(clock.now());
    }
    expect(starts).toEqual([1_000, 2_000, 3_000, 4_000, 5_000]);
    expect(transport.dialled).toEqual(['a']);
  });

  it('costs nothing after a second of consuming', async () => {
    const setting = consumerSetting();
    await setting.started();
    await setting.clock.advance(1_000);
    setting.consumer.channel.closeBy(541);
    await settled();
    expect(setting.loop.state.status).toBe('consuming');
  });
});

describe('a consumer that the broker cancels', () => {
  it('declares and consumes again; the acks of its running handlers are valid on the old channel', async () => {
    const done = deferred();
    const aborted: unknown[] = [];
    const setting = consumerSetting({
      handle: (_body, { signal }) => {
        signal.addEventListener('abort', () => aborted.push(signal.reason));
        return done.promise;
      },
    });
    const { transport, logger } = setting;
    const first = await setting.started();
    first.deliver();
    await settled();
    transport.latest.calls.length = 0;
    first.cancel();
    expect(setting.loop.state.status).toBe('starting');
    const second = await setting.consumingAgain();
    expect(transport.latest.calls).toEqual([
      'cancel tag-of-orders',
      'assertQueue orders',
      'prefetch 10',
      'consume orders',
    ]);
    expect(second).not.toBe(first);
    expect(aborted).toEqual([]);
    expect(first.channel.loss).toBeUndefined();
    done.resolve();
    await settled();
    expect(first.settled).toEqual(['ack 1']);
    expect(first.channel.loss).toBeDefined();
    expect(logger.lines.join()).toContain('the broker cancelled it');
  });

  it('hands back what it had not begun, and what its other queues still deliver, at once', async () => {
    const setting = consumerSetting({
      queues: [orders, new Queue('refunds')],
      concurrency: 1,
      handle: () => new Promise(() => undefined),
    });
    const first = await setting.started();
    first.deliver();
    first.deliver();
    await settled();
    first.cancel('orders');
    first.deliver({}, 'refunds');
    expect(first.settled).toEqual(['nack 2 requeue', 'nack 3 requeue']);
    await setting.consumingAgain();
    await setting.clock.advance(30_000);
    expect(first.channel.loss).toBeDefined();
  });

  it('does not run hot when it is cancelled again and again', async () => {
    const setting = consumerSetting();
    const { clock, transport } = setting;
    await setting.started();
    transport.latest.calls.length = 0;
    for (let ms = 0; ms < 10_000; ms += 100) {
      if (setting.loop.state.status === 'consuming') setting.consumer.cancel();
      await clock.advance(100);
    }
    const consumed = transport.latest.calls.filter((call) => call.startsWith('consume'));
    expect(consumed.length).toBeGreaterThan(5);
    expect(consumed.length).toBeLessThanOrEqual(11);
  });
});

describe('a connection that is closed under its consumer', () => {
  it('ends it for good, loudly, when it was consuming', async () => {
    const setting = consumerSetting();
    await setting.started();
    void setting.connection.close();
    await setting.clock.advance(2_000);
    expect(setting.loop.state.status).toBe('failed');
    expect(isConnectionClosedError(setting.loop.lastError)).toBe(true);
    expect(setting.logger.lines.at(-1)).toContain('not starting again');
  });

  it('rejects a start that still waits for a broker', async () => {
    const setting = consumerSetting();
    setting.transport.brokers.a = 'hung';
    const start = watch(setting.loop.start());
    await settled();
    void setting.connection.close();
    await settled();
    expect(isConnectionClosedError(start.error)).toBe(true);
    expect(setting.loop.state.status).toBe('failed');
  });

  it('rejects a start after it', async () => {
    const setting = consumerSetting();
    await setting.connection.close();
    await expect(setting.loop.start()).rejects.toSatisfy(isConnectionClosedError);
  });
});

describe('the state', () => {
  it('is never consuming when it is not, from the very moment of the end', async () => {
    const ends: Record<string, (setting: ReturnType<typeof consumerSetting>) => unknown> = {
      'connection lost': ({ transport }) => transport.latest.drop(320),
      'channel closed': ({ consumer }) => consumer.channel.closeBy(406),
      cancelled: ({ consumer }) => consumer.cancel(),
      paused: ({ loop }) => loop.pause(),
      stopped: ({ loop }) => loop.stop(),
    };
    for (const [name, end] of Object.entries(ends)) {
      const setting = consumerSetting();
      await setting.started();
      expect(setting.loop.state).toMatchObject({ status: 'consuming', since: 0 });
      void end(setting);
      expect(setting.loop.state.status, name).not.toBe('consuming');
      await settled();
      expect(setting.loop.state.status, name).not.toBe('consuming');
    }
  });

  it('is not consuming either when the end of its channel is known, but not told yet', async () => {
    const setting = consumerSetting();
    const { channel } = await setting.started();
    const loss = new AmqpError('gone', { scope: 'channel', connection: channel.connection });
    Object.defineProperty(channel, 'loss', { get: () => loss, configurable: true });
    expect(setting.loop.state.status).toBe('starting');
    Reflect.deleteProperty(channel, 'loss');
    expect(setting.loop.state.status).toBe('consuming');
  });

  it('is starting as long as one queue is not registered with', async () => {
    const setting = consumerSetting({ queues: [orders, new Queue('refunds')] });
    await setting.connection.connect();
    setting.transport.latest.answer = (call) => (call === 'consume refunds' ? 'hang' : 'ok');
    const start = watch(setting.loop.start());
    await settled();
    expect(setting.consumer.isRegistered('orders')).toBe(true);
    expect(setting.loop.state.status).toBe('starting');
    expect(start.outcome).toBe('pending');
  });
});

describe('a quorum queue that drops what fails too often', () => {
  const warned = (queue: Queue): boolean =>
    consumerSetting({ queues: [queue] }).logger.lines.some((line) =>
      line.startsWith('warn: Orders: quorum queue'),
    );

  it('is warned about when nothing says where its messages go', () => {
    expect(warned(new Queue('orders', { type: 'quorum' }))).toBe(true);
  });

  it.each([
    new Queue('orders', { type: 'quorum', deadLetterExchange: 'dead' }),
    new Queue('orders', { type: 'quorum', noDeclare: true }),
    new Queue('orders', { type: 'classic' }),
  ])('is not warned about when it is none, declared elsewhere, or dead-letters', (queue) => {
    expect(warned(queue)).toBe(false);
  });
});
