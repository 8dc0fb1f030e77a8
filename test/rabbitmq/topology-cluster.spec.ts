import { expect, onTestFinished, test } from 'vitest';
import { Exchange, Producer, Queue } from 'nestjs-failover';
import { useCluster, useVhost } from '../kit/brokers.js';
import { useConnection, useFront } from '../kit/fronts.js';

const cluster = useCluster();

const orders = new Exchange('orders', { type: 'topic' });
const created = new Queue('orders.created', {
  type: 'quorum',
  exchange: orders,
  routingKey: 'order.created',
});

async function publishedOnFirst() {
  const vhost = await useVhost(cluster);
  const [first, second] = cluster.nodes as [(typeof cluster.nodes)[0], (typeof cluster.nodes)[0]];
  const one = await useFront(first, vhost);
  const two = await useFront(second, vhost);
  const connection = useConnection({ urls: [one.url, two.url] });
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

  console.log(await Promise.all(cluster.nodes.map((n) => n.eval('io_lib:format("~p", [{rabbit_nodes:cluster_name(), catch ets:tab2list(rabbit_runtime_parameters), mnesia:dirty_all_keys(rabbit_runtime_parameters)}])'))));
  expect(two.count({ method: 'queue.bind' })).toBe(0);
  const declared = two.frames.filter(({ method }) => /declare$/u.test(method));
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
