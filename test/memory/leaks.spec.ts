import { createHook } from 'node:async_hooks';
import { connect } from 'amqplib';
import type { Channel } from 'amqplib';
import { expect, onTestFinished, test } from 'vitest';
import { MemoryBroker } from 'nestjs-failover/testing';
import type { MethodName } from 'nestjs-failover/testing';
import { memoryBrokers } from '../../lib/memory/memory-brokers.js';

const kinds = new Set(['TCPSERVERWRAP', 'TCPWRAP', 'Timeout']);

/** Everything that is open, timers that keep no process alive included, by its id. */
const open = new Map<number, string>();
const watch = createHook({
  init: (id, type) => {
    if (kinds.has(type)) open.set(id, type);
  },
  destroy: (id) => {
    open.delete(id);
  },
});

/** A destroyed socket gives its handle back in a later turn. */
async function quiet(): Promise<string[]> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
  return [...open.values()];
}

/** Something is held back for a minute. */
const delayed = (broker: MemoryBroker, channel: Channel, method: MethodName): Promise<unknown> => {
  const { happened } = broker.control(method, () => ({ delay: 60_000 }));
  channel.assertQueue('delayed').catch(() => undefined);
  return happened;
};

const ways: readonly ((broker: MemoryBroker, channel: Channel) => unknown)[] = [
  () => undefined,
  (broker) => broker.kill(),
  (broker) => broker.stop(),
  (broker) => broker.pause(),
  (broker) => broker.refuse(),
  (broker) => broker.block(),
  (broker) => broker.closeConnections(),
  (broker, channel) => delayed(broker, channel, 'queue.declare'),
  (broker, channel) => delayed(broker, channel, 'queue.declare-ok'),
  (broker) => broker.restart(),
];

test(
  '1,000 brokers, started and closed in whatever state, leave no socket, timer, listener or name',
  { timeout: 120_000 },
  async () => {
    watch.enable();
    onTestFinished(() => void watch.disable());
    const before = await quiet();
    const listeners = process.listenerCount('exit') + process.listenerCount('uncaughtException');
    for (let n = 0; n < 1_000; n += 1) {
      const broker = await MemoryBroker.start();
      // Every tenth has a client that does something.
      if (n % 10 === 0) {
        const model = await connect(`${broker.url()}?heartbeat=5`);
        model.on('error', () => undefined);
        const channel = await model.createChannel();
        channel.on('error', () => undefined);
        await channel.assertQueue('q', { expires: 60_000, messageTtl: 60_000 });
        channel.sendToQueue('q', Buffer.from('x'));
        await ways[(n / 10) % ways.length]?.(broker, channel);
        void channel.assertQueue('later').catch(() => undefined);
        // A socket that hung is reset as well.
        const gone = new Promise((resolve) => {
          model.on('close', resolve);
        });
        await broker.close();
        await gone;
      } else await broker.close();
    }
    expect(await quiet()).toEqual(before);
    expect(memoryBrokers.size).toBe(0);
    expect(process.listenerCount('exit') + process.listenerCount('uncaughtException')).toBe(
      listeners,
    );
  },
);
