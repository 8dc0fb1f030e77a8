import { expect, onTestFinished } from 'vitest';
import { Queue } from '../../../lib/amqp/queue.js';
import type { FailoverConnectionOptions } from '../../../lib/failover/connection-options.js';
import type { ConsumerDefinition } from '../../../lib/failover/consumer-definition.js';
import { ConsumerLoop } from '../../../lib/failover/consumer-loop.js';
import type { FakeDeliveries } from './fake-deliveries.js';
import { deliveringChannels } from './fake-deliveries.js';
import { settled } from './fake-clock.js';
import { fakeSetting } from './fake-setting.js';

export const orders = new Queue('orders');

/**
 * A consumer of the queue `orders` in a world of fakes. At the end of the test it is stopped; then no timer and no listener
 * may be left, and nothing may have been settled that a broker would close a channel for.
 */
export function consumerSetting(
  definition: Partial<ConsumerDefinition> = {},
  options: Partial<FailoverConnectionOptions> = {},
) {
  const setting = fakeSetting(options);
  const { connection, transport, clock } = setting;
  const channels = deliveringChannels(transport);
  const listeners = connection.parts.listeners.count;
  const loop = new ConsumerLoop(connection, {
    name: 'Orders',
    queues: [orders],
    handle: () => undefined,
    ...definition,
  });
  onTestFinished(async () => {
    const stopped = loop.stop({ timeout: 1 });
    await clock.advance(1);
    await stopped;
    await settled();
    expect(loop.state.status).toBe('stopped');
    expect(clock.pending, 'timers left').toBe(0);
    expect(connection.parts.listeners.count, 'listeners left').toBe(listeners);
    for (const { illegal, channel } of channels) {
      expect(illegal).toEqual([]);
      // One on which a declaration is not answered is not the consumer's.
      const declares = channel.calls.some((call) => call.startsWith('assert'));
      if (!declares) expect(channel.loss, 'a channel left open').toBeDefined();
    }
  });
  return {
    ...setting,
    loop,
    channels,
    /** The channel that is registered now. */
    get consumer(): FakeDeliveries {
      const consumer = channels.findLast((channel) => channel.isRegistered('orders'));
      if (consumer === undefined) throw new Error('nobody consumes');
      return consumer;
    },
    /** Lets it start, whatever the restart limit says. */
    async started(): Promise<FakeDeliveries> {
      const started = loop.start();
      await clock.advance(0);
      await started;
      return this.consumer;
    },
    /** Lets it consume again after the end of a session. */
    async consumingAgain(): Promise<FakeDeliveries> {
      await clock.advance(1_000);
      expect(loop.state.status).toBe('consuming');
      return this.consumer;
    },
  };
}

/** A promise that the test settles. */
export function deferred<T = void>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((one, other) => {
    resolve = one;
    reject = other;
  });
  return { promise, resolve, reject };
}

export const never = (): Promise<never> => new Promise(() => undefined);
