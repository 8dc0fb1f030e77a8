import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { ConsumerLoop, Exchange, FailoverConnection, Producer, Queue } from 'nestjs-failover';
import { useCluster, useVhost } from '../kit/brokers.js';
import { until } from '../kit/rabbitmq/index.js';

const cluster = useCluster();

test('publishes and consumes through the death of the connected node of a cluster, losing nothing', async () => {
  const vhost = await useVhost(cluster);
  const orders = new Exchange('orders', { type: 'topic' });
  const created = new Queue('orders.created', {
    type: 'quorum',
    exchange: orders,
    routingKey: 'order.created',
  });
  const connection = new FailoverConnection({ urls: vhost.urls, logger: false });
  const consuming = connection.clone();
  onTestFinished(async () => {
    await connection.close();
    await consuming.close();
  });
  const seen = new Set<string>();
  const consumer = new ConsumerLoop(consuming, {
    name: 'Orders',
    queues: [created],
    prefetchCount: 50,
    handle: (body) => {
      seen.add((body as { id: string }).id);
    },
  });
  await consumer.start();
  const producer = new Producer(connection);
  const settled: Promise<string>[] = [];
  const publish = () => {
    const id = randomUUID();
    settled.push(
      producer.publish({ id }, { exchange: orders, routingKey: 'order.created' }).then(() => id),
    );
  };
  for (let i = 0; i < 200; i += 1) publish();
  const lost = new Promise((resolve) => {
    connection.on('lost', resolve);
  });
  const timer = setInterval(() => {
    for (let i = 0; i < 5; i += 1) publish();
  }, 5);
  onTestFinished(() => clearInterval(timer));
  await until('some are consumed', () => seen.size > 100, 30_000);
  const port = new URL(connection.asUri()).port;
  await cluster.nodes.find((node) => String(node.port) === port)?.kill();
  await lost;
  const before = seen.size;
  await until('consuming again', () => seen.size > before + 500, 30_000);
  clearInterval(timer);
  const ids = await Promise.all(settled);
  await until('all are consumed', () => ids.every((id) => seen.has(id)), 20_000);
  expect(ids.length).toBeGreaterThan(700);
  await consumer.stop();
  await producer.close();
});
