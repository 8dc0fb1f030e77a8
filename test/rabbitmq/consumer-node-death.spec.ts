import { expect, test } from 'vitest';
import { Queue } from 'nestjs-failover';
import type { SettleResult } from 'nestjs-failover';
import { useCluster, useVhost } from '../kit/brokers.js';
import { useConnection } from '../kit/fronts.js';
import { printRow } from '../kit/print-row.js';
import { until } from '../kit/rabbitmq/index.js';
import { expectOneConsumer, useConsumer, usePublisher } from './consumer.setting.js';

const cluster = useCluster();

const nodeOf = (url: string) =>
  cluster.nodes.find(({ port }) => String(port) === new URL(url).port);

test('handles a message again after its broker died under the handler, but not beside its first run, whose ack is lost', async () => {
  const vhost = await useVhost(cluster);
  const orders = new Queue('orders', { type: 'quorum', deliveryLimit: 100 });
  const connection = useConnection({ urls: vhost.urls });
  let finish: () => void = () => undefined;
  const first = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const told: string[] = [];
  let late: SettleResult | undefined;
  const consumer = useConsumer(connection, {
    queues: [orders],
    handle: async (body, message) => {
      if (body !== 'slow') return void told.push(`handled ${String(body)}`);
      told.push(`begun, redelivered: ${message.redelivered}`);
      if (message.redelivered) return;
      message.signal.addEventListener('abort', () => told.push('aborted'));
      await first;
      late = message.ack();
      told.push('finished');
    },
  });
  await consumer.start();
  const publish = usePublisher(vhost.urls, orders);
  await publish('slow');
  await until('the handler runs', () => told.length === 1, 10_000);

  await nodeOf(connection.asUri())?.kill();
  await until('it consumes from another node', () => consumer.state.status === 'consuming', 20_000);
  await publish('quick');
  await until('others are handled meanwhile', () => told.includes('handled quick'), 30_000);
  await expectOneConsumer(cluster.running(), orders, vhost.name);
  expect(told).toEqual(['begun, redelivered: false', 'aborted', 'handled quick']);

  finish();

  await until('it is handled again', () => told.length === 5, 30_000);
  expect(told.slice(3)).toEqual(['finished', 'begun, redelivered: true']);
  expect(late).toBe('lost');
  const count = () => cluster.running().messageCount('orders', vhost.name);
  await expect.poll(count, { timeout: 10_000 }).toBe(0);
  printRow('a handler runs while its broker dies', {
    'late ack': late,
    'in order': told.join('; '),
    'left in the queue': await count(),
  });
});

test('waits for the node of a classic queue, and consumes again when it is back', async () => {
  const vhost = await useVhost(cluster);
  const [home, other] = cluster.nodes;
  if (home === undefined || other === undefined) throw new Error('a cluster of one');
  const orders = new Queue('orders', { type: 'classic' });
  await usePublisher([vhost.url(home)], orders)();
  const declaring = useConnection({ urls: [vhost.url(home)] });
  await declaring.declare(orders);
  await (await declaring.channel()).assertQueue('orders', { arguments: orders.arguments });
  const consumer = useConsumer(useConnection({ urls: [vhost.url(other)] }), {
    queues: [orders],
    handle: () => undefined,
  });
  await consumer.start();

  await home.kill();
  await until('it is cancelled and refused', () => consumer.state.status === 'waiting', 20_000);
  expect(consumer.lastError?.message).toContain('orders');
  expect(consumer.lastError).toMatchObject({ code: 404 });

  await home.start();
  await until('it consumes again', () => consumer.state.status === 'consuming', 30_000);
  await expectOneConsumer(home, orders, vhost.name);
});
