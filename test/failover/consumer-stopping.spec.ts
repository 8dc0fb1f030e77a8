import { describe, expect, it } from 'vitest';
import { isConnectionClosedError, isConfigurationError } from '../../lib/errors.js';
import type { Message } from '../../lib/failover/message.js';
import { consumerSetting, deferred, never } from './fakes/consumer-setting.js';
import { settled } from './fakes/fake-clock.js';
import { watch } from './fakes/fake-setting.js';

type Setting = ReturnType<typeof consumerSetting>;

const hung = async (setting: Setting, call: string): Promise<void> => {
  await setting.connection.connect();
  setting.transport.latest.answer = (asked) => (asked.startsWith(call) ? 'hang' : 'ok');
  void setting.loop.start();
  await settled();
};

/** Each situation in which a consumer may be, by how it gets there. */
const situations: Record<string, (setting: Setting) => Promise<unknown>> = {
  idle: async () => undefined,
  'connecting to a hung broker': async ({ loop, transport }) => {
    transport.brokers.a = 'hung';
    void loop.start();
    await settled();
  },
  'with all brokers down': async ({ loop, transport, clock }) => {
    transport.brokers.a = 'dead';
    transport.brokers.b = 'dead';
    void loop.start();
    await clock.advance(10);
  },
  'opening a channel that is not answered': async (setting) => {
    await setting.connection.connect();
    setting.transport.latest.openHangs = true;
    void setting.loop.start();
    await settled();
  },
  'declaring without an answer': (setting) => hung(setting, 'assertQueue'),
  'setting qos without an answer': (setting) => hung(setting, 'prefetch'),
  'registering without an answer': (setting) => hung(setting, 'consume'),
  'waiting to try again': async (setting) => {
    await setting.connection.connect();
    setting.transport.latest.answer = (call) => (call.startsWith('consume') ? 403 : 'ok');
    void setting.loop.start();
    await settled();
    expect(setting.loop.state.status).toBe('waiting');
  },
  'waiting for the restart limit': async (setting) => {
    const consumer = await setting.started();
    consumer.channel.closeBy();
    await settled();
    expect(setting.loop.state.status).toBe('starting');
  },
  consuming: (setting) => setting.started(),
  'consuming, with a broker that does not answer a cancel': async (setting) => {
    await setting.started();
    setting.transport.latest.answer = () => 'hang';
  },
  'holding a message that failed': async (setting) => {
    (await setting.started()).deliver({ content: '"fail"' });
    await settled();
    expect(setting.loop.held).toBe(1);
  },
  paused: async (setting) => {
    await setting.started();
    void setting.loop.pause();
    await settled();
  },
  'paused before its start': async ({ loop }) => {
    void loop.pause();
    void loop.start();
    await settled();
  },
};

const definition = {
  handle: (body: unknown) => {
    if (body === 'fail') throw new Error('no');
  },
};

describe.each(Object.entries(situations))('%s', (name, reach) => {
  it('is stopped in no time, and leaves nothing', async () => {
    const setting = consumerSetting(definition);
    await reach(setting);
    const stop = watch(setting.loop.stop());
    expect(setting.loop.state.status).toBe('stopping');
    await settled();
    expect(stop.outcome).toBe('resolved');
    expect(setting.loop.state.status).toBe('stopped');
  });

  it('is stopped while its connection is lost', async () => {
    const setting = consumerSetting(definition);
    await reach(setting);
    const stop = watch(setting.loop.stop());
    for (const connection of setting.transport.live) connection.drop();
    await settled();
    expect(stop.outcome).toBe('resolved');
    await setting.clock.advance(60_000);
    expect(setting.loop.state.status).toBe('stopped');
    expect(setting.channels.every(({ channel }) => channel.loss !== undefined)).toBe(true);
  });

  it('is stopped when its connection was lost in this turn', async () => {
    const setting = consumerSetting(definition);
    await reach(setting);
    for (const connection of setting.transport.live) connection.drop();
    const stop = watch(setting.loop.stop());
    await settled();
    expect(stop.outcome).toBe('resolved');
  });

  it('is stopped once, however often that is asked, and cannot be started again', async () => {
    const setting = consumerSetting(definition);
    await reach(setting);
    const hasConsumed = setting.logger.lines.some((line) => line.includes(': consuming from'));
    const stops = [setting.loop.stop(), setting.loop.stop({ timeout: 1 })];
    expect(stops[0]).toBe(stops[1]);
    await Promise.all(stops);
    await setting.loop.stop();
    const start = watch(setting.loop.start());
    await settled();
    expect(start.outcome).toBe(hasConsumed ? 'resolved' : 'rejected');
    expect(hasConsumed || isConnectionClosedError(start.error)).toBe(true);
    await setting.loop.pause();
    setting.loop.resume();
    expect(setting.loop.state.status).toBe('stopped');
  });

  it('is paused at once, and consumes again when resumed', async () => {
    const setting = consumerSetting(definition);
    const { clock, loop, transport } = setting;
    await reach(setting);
    const paused = watch(loop.pause());
    await settled();
    expect(paused.outcome).toBe('resolved');
    expect(loop.state.status).toBe(name === 'idle' ? 'idle' : 'paused');
    const start = watch(loop.start());
    await clock.advance(5_000);
    expect(loop.state.status).toBe('paused');
    expect(setting.channels.some((channel) => channel.isRegistered('orders'))).toBe(false);
    transport.brokers.a = 'up';
    transport.brokers.b = 'up';
    if (transport.live.length > 0) {
      transport.latest.answer = () => 'ok';
      transport.latest.openHangs = false;
    }
    loop.resume();
    expect(loop.state.status).toBe('starting');
    // A declaration is shared by all who declare, and a fake has no deadline: what hangs ends with its connection.
    if (/declaring|opening/.test(name)) transport.latest.drop();
    await clock.advance(60_000);
    expect(loop.state.status).toBe('consuming');
    expect(start.outcome).toBe('resolved');
    const registered = setting.channels.filter((channel) => channel.isRegistered('orders'));
    expect(registered).toHaveLength(1);
  });
});

describe('stopping with handlers that run', () => {
  it('cancels first, waits for them, sends their acks, then closes the channel', async () => {
    const done = deferred();
    const setting = consumerSetting({ handle: () => done.promise });
    const consumer = await setting.started();
    consumer.deliver();
    await settled();
    const stop = watch(setting.loop.stop());
    await settled();
    expect(setting.transport.latest.calls.at(-1)).toBe('cancel tag-of-orders');
    expect(stop.outcome).toBe('pending');
    expect(consumer.channel.loss).toBeUndefined();
    done.resolve();
    await settled();
    expect(consumer.settled).toEqual(['ack 1']);
    expect(stop.outcome).toBe('resolved');
    expect(setting.clock.pending).toBe(0);
  });

  it('hands back at once what was delivered and not begun, and what is delivered after it', async () => {
    const done = deferred();
    const setting = consumerSetting({ handle: () => done.promise, concurrency: 1 });
    const consumer = await setting.started();
    consumer.deliver();
    consumer.deliver();
    await settled();
    const stopped = setting.loop.stop();
    consumer.deliver();
    expect(consumer.settled).toEqual(['nack 2 requeue', 'nack 3 requeue']);
    done.resolve();
    await stopped;
    expect(consumer.settled).toEqual(['nack 2 requeue', 'nack 3 requeue', 'ack 1']);
  });

  it('waits no longer than its timeout; what comes later is lost', async () => {
    let kept: Message | undefined;
    const setting = consumerSetting({
      handle: (_body, message) => {
        kept = message;
        return never();
      },
    });
    const consumer = await setting.started();
    consumer.deliver();
    await settled();
    const stop = watch(setting.loop.stop({ timeout: 300 }));
    await setting.clock.advance(299);
    expect(stop.outcome).toBe('pending');
    expect(kept?.signal.aborted).toBe(false);
    await setting.clock.advance(1);
    expect(stop.outcome).toBe('resolved');
    expect(kept?.signal.aborted).toBe(true);
    expect(kept?.ack()).toBe('lost');
    expect(setting.clock.pending).toBe(0);
  });

  it('waits no longer than its timeout for a channel that does not close', async () => {
    const setting = consumerSetting();
    const { channel } = await setting.started();
    const close = channel.close.bind(channel);
    Object.assign(channel, { close: never });
    const stop = watch(setting.loop.stop({ timeout: 300 }));
    await setting.clock.advance(300);
    expect(stop.outcome).toBe('resolved');
    await close();
  });

  it('waits for handlers of a lost channel too, within its timeout', async () => {
    const done = deferred();
    const setting = consumerSetting({ handle: () => done.promise });
    (await setting.started()).deliver();
    await settled();
    setting.transport.latest.drop();
    await setting.consumingAgain();
    const stop = watch(setting.loop.stop());
    await settled();
    expect(stop.outcome).toBe('pending');
    done.resolve();
    await settled();
    expect(stop.outcome).toBe('resolved');
    expect(setting.clock.pending).toBe(0);
  });

  it('gives up on handlers of lost channels at its timeout, and leaves no timer for them', async () => {
    const setting = consumerSetting({ handle: never });
    (await setting.started()).deliver();
    await settled();
    setting.transport.latest.drop();
    (await setting.consumingAgain()).deliver({ redelivered: true });
    const stop = watch(setting.loop.stop({ timeout: 5 }));
    await setting.clock.advance(5);
    expect(stop.outcome).toBe('resolved');
    expect(setting.clock.pending).toBe(0);
  });

  it('refuses a timeout that is none', () => {
    const { loop } = consumerSetting();
    expect(() => loop.stop({ timeout: -1 })).toThrowError(expect.toSatisfy(isConfigurationError));
  });
});

describe('pausing with handlers that run', () => {
  it('resolves when they have settled and acked', async () => {
    const done = deferred();
    const setting = consumerSetting({ handle: () => done.promise });
    const consumer = await setting.started();
    consumer.deliver();
    await settled();
    const pauses = [watch(setting.loop.pause()), watch(setting.loop.pause())];
    await settled();
    expect(setting.loop.state.status).toBe('paused');
    expect(pauses.map(({ outcome }) => outcome)).toEqual(['pending', 'pending']);
    done.resolve();
    await settled();
    expect(pauses.map(({ outcome }) => outcome)).toEqual(['resolved', 'resolved']);
    expect(consumer.settled).toEqual(['ack 1']);
  });

  it('resolves after the settle timeout; then their channel is closed and what they handle is held when it comes again', async () => {
    const begun: boolean[] = [];
    const setting = consumerSetting({
      settleTimeout: 200,
      handle: (_body, { redelivered }) => {
        begun.push(redelivered);
        return never();
      },
    });
    const consumer = await setting.started();
    consumer.deliver();
    await settled();
    const paused = watch(setting.loop.pause());
    await setting.clock.advance(200);
    expect(paused.outcome).toBe('resolved');
    expect(consumer.channel.loss).toBeDefined();
    setting.loop.resume();
    await setting.clock.advance(0);
  });

  it('is paused though a hook takes its time, and may be resumed meanwhile', async () => {
    const setting = consumerSetting({ hooks: { onConsumeEnd: never }, settleTimeout: 500 });
    await setting.started();
    void setting.loop.pause();
    await settled();
    expect(setting.loop.state.status).toBe('paused');
    setting.loop.resume();
    expect(setting.loop.state.status).toBe('starting');
    await setting.clock.advance(2_000);
    expect(setting.loop.state.status).toBe('consuming');
  });

  it('can be done and undone many times without wearing out the restart limit', async () => {
    const setting = consumerSetting();
    await setting.started();
    await setting.clock.advance(1_000);
    for (let turn = 0; turn < 20; turn += 1) {
      void setting.loop.pause();
      await settled();
      setting.loop.resume();
      await settled();
    }
    await setting.clock.advance(1_000);
    expect(setting.loop.state.status).toBe('consuming');
    expect(setting.transport.latest.openChannels).toHaveLength(1);
  });

  it.each(Array.from({ length: 80 }, (_, microtasks) => ({ microtasks })))(
    'is paused for good when that comes $microtasks microtasks after its start began, or after a resume',
    async ({ microtasks }) => {
      const setting = consumerSetting();
      const { clock, connection, loop } = setting;
      const registered = () => setting.channels.filter((one) => one.isRegistered('orders'));
      const pauseSoon = async (): Promise<void> => {
        for (let i = 0; i < microtasks; i += 1) await Promise.resolve();
        void loop.pause();
        await clock.advance(2_000);
        expect(loop.state.status).toBe('paused');
        expect(registered()).toEqual([]);
      };
      await connection.connect();
      void loop.start();
      await pauseSoon();
      loop.resume();
      await pauseSoon();
      loop.resume();
      await clock.advance(2_000);
      expect(loop.state.status).toBe('consuming');
      expect(registered()).toHaveLength(1);
    },
  );

  it('ends where pause and resume follow each other in one turn', async () => {
    const setting = consumerSetting();
    await setting.started();
    await setting.clock.advance(1_000);
    void setting.loop.pause();
    setting.loop.resume();
    void setting.loop.pause();
    await setting.clock.advance(2_000);
    expect(setting.loop.state.status).toBe('paused');
    setting.loop.resume();
    await setting.clock.advance(2_000);
    expect(setting.loop.state.status).toBe('consuming');
  });
});
