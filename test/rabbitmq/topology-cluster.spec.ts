import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { Exchange, Producer, Queue } from 'nestjs-failover';
import { useCluster, useVhost } from '../kit/brokers.js';
import { useConnection, useFront } from '../kit/fronts.js';
import type { RabbitNode } from '../kit/rabbitmq/index.js';

const cluster = useCluster();

const orders = new Exchange('orders', { type: 'topic' });
const created = new Queue('orders.created', {
  type: 'quorum',
  exchange: orders,
  routingKey: 'order.created',
});

const clear = () =>
  cluster.running().eval('catch rabbit_runtime_parameters:clear_global(cluster_name, <<"kit">>)');

beforeEach(async () => {
  await cluster.running().eval('rabbit_nodes:set_cluster_name(<<"orders">>, <<"kit">>)');
  return clear;
});

async function publishedOnFirst(options: { cluster?: boolean } = {}) {
  const vhost = await useVhost(cluster);
  const [first, second] = cluster.nodes as [RabbitNode, RabbitNode];
  const one = await useFront(first, vhost);
  const two = await useFront(second, vhost);
  const connection = useConnection({ urls: [one.url, two.url], ...options });
  const producer = new Producer(connection);
  onTestFinished(() => producer.close());
  const publish = () =>
    producer.publish('one', { exchange: orders, routingKey: 'order.created', declare: [created] });
  await publish();
  return { vhost, connection, publish, one: one.proxy, two: two.proxy };
}

test('only looks at what it declared before, after a failover within a cluster: no binding is sent', async () => {
  const { vhost, publish, one, two } = await publishedOnFirst();
  expect(one.count({ method: 'queue.bind' })).toBe(1);
  one.refuse();
  one.cut('rst');

  await publish();

  expect(two.count({ method: 'queue.bind' })).toBe(0);
  const declared = two.frames.filter(({ method }) => method.endsWith('declare'));
  expect(declared.map(({ fields }) => fields.passive)).toEqual(declared.map(() => true));
  expect(declared.length).toBe(2);
  expect(await cluster.running().readyCount('orders.created', vhost.name)).toBe(2);
});

test('declares and binds a queue again that was deleted meanwhile, and publishes into it', async () => {
  const { vhost, publish, one, two } = await publishedOnFirst();
  await cluster.running().deleteQueue('orders.created', vhost.name);
  one.refuse();
  one.cut('rst');

  await publish();

  expect(two.count({ method: 'queue.bind' })).toBe(1);
  expect(await cluster.running().readyCount('orders.created', vhost.name)).toBe(1);
});

test('binds a queue again whose exchange was deleted meanwhile: its bindings went with it', async () => {
  const { vhost, publish, one, two, connection } = await publishedOnFirst();
  await connection.autoretry((channel) => channel.deleteExchange('orders'))();
  one.refuse();
  one.cut('rst');

  await publish();

  expect(two.count({ method: 'queue.bind' })).toBe(1);
  expect(await cluster.running().readyCount('orders.created', vhost.name)).toBe(2);
});

test('declares in full on another node of a cluster without a name: each node then goes by its own', async () => {
  await clear();
  const { vhost, publish, one, two } = await publishedOnFirst();
  one.refuse();
  one.cut('rst');

  await publish();

  expect(two.count({ method: 'queue.bind' })).toBe(1);
  expect(await cluster.running().readyCount('orders.created', vhost.name)).toBe(2);
});

test('only looks at it on a cluster without a name too, with the option cluster', async () => {
  await clear();
  const { vhost, publish, one, two } = await publishedOnFirst({ cluster: true });
  one.refuse();
  one.cut('rst');

  await publish();

  expect(two.count({ method: 'queue.bind' })).toBe(0);
  expect(await cluster.running().readyCount('orders.created', vhost.name)).toBe(2);
});
