import { expect, test } from 'vitest';
import { Queue } from 'nestjs-failover';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { useConnection, useFront } from '../kit/fronts.js';
import { assertLegalAcks } from '../kit/proxy/index.js';
import { printRow } from '../kit/print-row.js';
import { until } from '../kit/rabbitmq/index.js';
import { expectOneConsumer, useConsumer, usePublisher } from './consumer.setting.js';

const [broker] = useBrokers();

const orders = new Queue('orders');

/** For a campaign: `RECONNECTS=200`. */
const RECONNECTS = Number(process.env['RECONNECTS'] ?? 30);

/** Prints the row when it is over. */
async function printRecovery(fault: string, vhost: string, began: number): Promise<void> {
  printRow(`consumer recovery: ${fault}`, {
    'consuming again ms': Math.round(performance.now() - began),
    consumers: (await broker.consumerCount('orders', vhost)) ?? 0,
  });
}

async function consuming(handle: (body: unknown) => unknown = () => undefined) {
  const vhost = await useVhost(broker);
  const { proxy, url } = await useFront(broker, vhost);
  const connection = useConnection({ urls: [url], intervalStart: 10, intervalStep: 10 });
  const consumer = useConsumer(connection, { queues: [orders], handle });
  await consumer.start();
  const again = () =>
    until('it consumes again', () => consumer.state.status === 'consuming', 20_000);
  const publish = usePublisher([vhost.url(broker)], orders);
  return { vhost, proxy, connection, consumer, again, publish };
}

test('declares its queue again when that is deleted under it, and takes what is published then', async () => {
  const seen: unknown[] = [];
  const { vhost, consumer, again, publish, proxy } = await consuming((body) => seen.push(body));
  const began = performance.now();
  await broker.deleteQueue('orders', vhost.name);
  await proxy.seen({ method: 'basic.consume-ok', nth: 2 });
  await again();
  await printRecovery('its queue is deleted', vhost.name, began);
  await publish('after');
  await until('it is handled', () => seen.length === 1, 10_000);
  await expectOneConsumer(broker, orders, vhost.name);
  expect(proxy.dials).toBe(1);
  expect(consumer.state.status).toBe('consuming');
});

test('consumes again, once, when the broker cancels its consumer, and what is in hand stays valid', async () => {
  const seen: unknown[] = [];
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const { vhost, proxy, again, publish } = await consuming((body) => {
    seen.push(body);
    return body === 'in hand' ? finished : undefined;
  });
  await publish('in hand');
  await until('it is in hand', () => seen.length === 1, 10_000);
  const began = performance.now();
  await broker.cancelConsumers('orders', vhost.name);
  await proxy.seen({ method: 'basic.consume-ok', nth: 2 });
  await again();
  await publish('after');
  await until('it is handled', () => seen.length === 2, 10_000);
  finish();
  await expectOneConsumer(broker, orders, vhost.name);
  await printRecovery('it is cancelled', vhost.name, began);
  const count = () => broker.messageCount('orders', vhost.name);
  await expect.poll(count, { timeout: 10_000 }).toBe(0);
  expect(seen).toEqual(['in hand', 'after']);
  expect(proxy.dials).toBe(1);
  assertLegalAcks(proxy.arrivals);
});

test('consumes again, once, when a permission that was taken from it is given back', async () => {
  const { vhost, proxy, consumer, again } = await consuming();
  await broker.setPermissions('guest', vhost.name, { read: '^$' });
  proxy.cut('rst');
  await until('it is refused', () => consumer.state.status === 'waiting', 20_000);
  expect(consumer.lastError).toMatchObject({ code: 403 });
  expect(await broker.consumerCount('orders', vhost.name)).toBe(0);

  const began = performance.now();
  await broker.setPermissions('guest', vhost.name);

  await again();
  await expectOneConsumer(broker, orders, vhost.name);
  await printRecovery('its permission is given back', vhost.name, began);
});

test(
  `is one consumer, on one channel of one connection, after ${RECONNECTS} reconnects, and every ack was legal`,
  { timeout: 60_000 + RECONNECTS * 2_000 },
  async () => {
    const handled = new Set<unknown>();
    const { vhost, proxy, consumer, again, publish } = await consuming(async (body) => {
      await new Promise(setImmediate);
      handled.add(body);
    });
    const channels = () => broker.eval('length(rabbit_channel:list_local())').then(Number);
    const sent: Promise<unknown>[] = [];
    let published = 0;
    const publishSome = () => publish(...Array.from({ length: 20 }, () => (published += 1)));
    await publishSome();
    const before = await channels();
    for (let turn = 0; turn < RECONNECTS; turn += 1) {
      const seen = handled.size;
      sent.push(publishSome());
      await until('it handles', () => handled.size > seen, 20_000);
      proxy.cut(turn % 2 === 0 ? 'rst' : 'fin');
      await until('the loss is known', () => consumer.state.status !== 'consuming', 10_000);
      // Past the restart limit, which would make this take a second a turn.
      void consumer.pause();
      consumer.resume();
      await again();
    }
    await Promise.all(sent);
    await until('all are handled', () => handled.size === published, 30_000);
    await expectOneConsumer(broker, orders, vhost.name);
    expect(proxy.connections).toBe(1);
    expect(proxy.dials).toBe(RECONNECTS + 1);
    await expect.poll(channels, { timeout: 10_000 }).toBe(before);
    expect(proxy.forgotten).toBe(0);
    assertLegalAcks(proxy.arrivals);
    await consumer.stop();
    expect(await broker.messageCount('orders', vhost.name)).toBe(0);
  },
);

test('redelivers nothing that was finished when it is stopped under load', async () => {
  const finished: unknown[] = [];
  const { vhost, consumer, publish, connection } = await consuming(async (body) => {
    await new Promise(setImmediate);
    finished.push(body);
  });
  const total = 2_000;
  const published = publish(...Array.from({ length: total }, (_, id) => id));
  await until('it is under load', () => finished.length > 200, 10_000);

  await consumer.stop();

  const before = finished.length;
  await published;
  const next = useConsumer(connection, { queues: [orders], handle: (body) => finished.push(body) });
  await next.start();
  await until('the rest is handled', () => finished.length >= total, 20_000);
  expect(before).toBeLessThan(total);
  expect(new Set(finished).size).toBe(total);
  expect(finished).toHaveLength(total);
  await next.stop();
  expect(await broker.messageCount('orders', vhost.name)).toBe(0);
});
