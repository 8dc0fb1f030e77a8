import { expect, test } from 'vitest';
import type { Message } from 'nestjs-failover';
import { Queue } from 'nestjs-failover';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { useConnection, useFront } from '../kit/fronts.js';
import { assertLegalAcks } from '../kit/proxy/index.js';
import { printRow } from '../kit/print-row.js';
import { until } from '../kit/rabbitmq/index.js';
import { expectOneConsumer, useConsumer, usePublisher } from './consumer.setting.js';

const [broker] = useBrokers();

const orders = new Queue('orders', { type: 'quorum', deliveryLimit: 1_000 });
const good = new Queue('good');

/** A consumer that is up to no good, beside one on the same connection that must not notice. */
async function beside(
  row: string,
  handle: (body: unknown, message: Message) => unknown,
  heartbeat = 5_000,
) {
  const vhost = await useVhost(broker);
  const { proxy, url } = await useFront(broker, vhost);
  const connection = useConnection({ urls: [url], heartbeat });
  let deliveries = 0;
  let handled = 0;
  const other = useConsumer(connection, {
    name: 'Good',
    queues: [good],
    handle: () => (handled += 1),
  });
  const consumer = useConsumer(connection, {
    queues: [orders],
    handle: (body, message) => {
      deliveries += 1;
      return handle(body, message);
    },
    prefetchCount: 5,
    backoffStart: 200,
  });
  await Promise.all([consumer.start(), other.start()]);
  const publish = usePublisher([vhost.url(broker)], orders);
  const publishGood = usePublisher([vhost.url(broker)], good);
  const consumersGoOn = async (): Promise<void> => {
    const before = handled;
    await publishGood(1, 2, 3);
    await until('the other consumer handles', () => handled === before + 3, 10_000);
    expect(other.state.status).toBe('consuming');
    expect(consumer.state.status).toBe('consuming');
    expect(proxy.count({ method: 'channel.close', direction: 'broker' })).toBe(0);
    await expectOneConsumer(broker, orders, vhost.name);
    await expectOneConsumer(broker, good, vhost.name);
    assertLegalAcks(proxy.arrivals);
    const consumers = [orders, good].map(({ name }) => broker.consumerCount(name, vhost.name));
    printRow(`bad handler: ${row}`, {
      deliveries,
      dials: proxy.dials,
      'handled by the other consumer': handled,
      'consumers of both queues': (await Promise.all(consumers)).join(),
    });
  };
  /** Everything went on as if nothing had happened: one dial, two channels that were never closed, legal acks. */
  const undisturbed = async (): Promise<void> => {
    await consumersGoOn();
    expect(proxy.dials).toBe(1);
  };
  const delivered = () => deliveries;
  return { vhost, proxy, consumer, publish, undisturbed, consumersGoOn, delivered };
}

test('does not run hot with a handler that always throws: each message comes again after a growing backoff', async () => {
  const runs: { readonly body: unknown; readonly at: number }[] = [];
  const { publish, undisturbed, consumer } = await beside('throws', (body) => {
    runs.push({ body, at: performance.now() });
    throw new Error('always');
  });
  await publish('one', 'two');
  await until('each came four times', () => runs.length >= 8, 20_000);
  const times = runs.filter(({ body }) => body === 'one').map(({ at }) => at);
  const waits = times.slice(1).map((at, i) => at - (times[i] ?? 0));
  for (const [i, expected] of [200, 400, 800].entries()) {
    expect(waits[i]).toBeGreaterThan(expected - 20);
  }
  expect(runs.length).toBeLessThanOrEqual(10);
  await undisturbed();
  expect(consumer.held).toBeGreaterThan(0);
});

test('goes on beside a handler that never returns, as far as its prefetch allows', async () => {
  const begun: unknown[] = [];
  const { publish, undisturbed, consumer, delivered } = await beside('never returns', (body) => {
    begun.push(body);
    return body === 'hang' ? new Promise(() => undefined) : undefined;
  });
  await publish('hang', 1, 2, 3, 4, 5, 6, 7, 8, 9);
  await until('all are begun', () => begun.length === 10, 10_000);
  await undisturbed();
  expect(delivered()).toBe(10);
  const stopping = performance.now();
  await consumer.stop({ timeout: 300 });
  expect(performance.now() - stopping).toBeLessThan(1_000);
});

test('sends one ack for a handler that acks twice, and says so to nobody but it', async () => {
  const thrown: unknown[] = [];
  const { vhost, proxy, publish, undisturbed, delivered } = await beside(
    'acks twice',
    (_body, message) => {
      message.ack();
      try {
        message.ack();
      } catch (error) {
        thrown.push(error);
        throw error;
      }
    },
  );
  await publish(1);
  await until('it has acked twice', () => thrown.length === 1, 10_000);
  await undisturbed();
  const ready = () => broker.messageCount('orders', vhost.name);
  await expect.poll(ready, { timeout: 10_000 }).toBe(0);
  expect(proxy.count({ method: 'basic.reject' })).toBe(0);
  expect(delivered()).toBe(1);
});

test('outlives a handler that rejects after its message was lost', async () => {
  let runs = 0;
  const { vhost, proxy, publish, consumersGoOn, consumer } = await beside(
    'rejects after an abort',
    (_body, { signal }) => {
      runs += 1;
      return runs > 1
        ? undefined
        : new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error));
          });
    },
  );
  await publish(1);
  await until('it runs', () => runs === 1, 10_000);
  proxy.cut('rst');
  await until('it ran again', () => runs === 2, 20_000);
  await until('it consumes', () => consumer.state.status === 'consuming', 20_000);
  const count = () => broker.messageCount('orders', vhost.name);
  await expect.poll(count, { timeout: 10_000 }).toBe(0);
  await consumersGoOn();
  expect(runs).toBe(2);
  expect(proxy.dials).toBe(2);
});

test('outlives a handler that blocks the process for 3 heartbeats: all consume again, and it is not delivered hot', async () => {
  const HEARTBEAT = 1_000;
  const BLOCKS = 2;
  let runs = 0;
  const block = (): void => {
    runs += 1;
    if (runs > BLOCKS) return;
    const over = performance.now() + 3 * HEARTBEAT;
    while (performance.now() < over);
  };
  const setting = await beside('blocks for 3 heartbeats', block, HEARTBEAT);
  const { vhost, publish, consumersGoOn, delivered } = setting;
  await publish(1);
  const count = () => broker.messageCount('orders', vhost.name);
  await expect.poll(count, { timeout: 30_000 }).toBe(0);
  await consumersGoOn();
  // Once, or again for each ack that came too late.
  expect(delivered()).toBeGreaterThan(0);
  expect(delivered()).toBeLessThanOrEqual(BLOCKS + 1);
}, 90_000);
