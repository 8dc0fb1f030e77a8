import { expect, test } from 'vitest';
import { Queue } from 'nestjs-failover';
import { printRow } from '../faults/figures.js';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { useConnection, useFront } from '../kit/fronts.js';
import { assertLegalAcks } from '../kit/proxy/index.js';
import { until } from '../kit/rabbitmq/index.js';
import { expectOneConsumer, useConsumer, usePublisher } from './consumer.setting.js';

const [broker] = useBrokers();

const orders = new Queue('orders');

/** For a campaign: `RECONNECTS=200`. */
const RECONNECTS = Number(process.env['RECONNECTS'] ?? 30);

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
  await broker.deleteQueue('orders', vhost.name);
  await proxy.seen({ method: 'basic.consume-ok', nth: 2 });
  await again();
  await publish('after');
  await until('it is handled', () => seen.length === 1, 10_000);
  await expectOneConsumer(broker, orders, vhost.name);
  printRow('queue deleted under its consumer', { handled: seen.length, dials: proxy.dials });
  expect(proxy.dials).toBe(1);
  expect(consumer.state.status).toBe('consuming');
});

test('consumes again, once, when a permission that was taken from it is given back', async () => {
  const { vhost, proxy, consumer, again } = await consuming();
  await broker.setPermissions('guest', vhost.name, { read: '^$' });
  proxy.cut('rst');
  await until('it is refused', () => consumer.state.status === 'waiting', 20_000);
  expect(consumer.lastError).toMatchObject({ code: 403 });
  expect(await broker.consumerCount('orders', vhost.name)).toBe(0);

  await broker.setPermissions('guest', vhost.name);

  await again();
  await expectOneConsumer(broker, orders, vhost.name);
  printRow('permission taken and given back', { dials: proxy.dials, consumers: 1 });
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
