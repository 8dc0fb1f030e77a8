import { expect, onTestFinished, test } from 'vitest';
import { Binding, ConsumerLoop, Exchange, Producer, Queue } from 'nestjs-failover';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { next, useConnection, useFronts } from '../kit/fronts.js';
import type { AmqpProxy } from '../kit/proxy/index.js';
import { until } from '../kit/rabbitmq/index.js';

const brokers = useBrokers();
const [, second] = brokers;

const audit = new Exchange('audit', { type: 'fanout' });
const orders = new Exchange('orders', { type: 'topic' });
const created = new Queue('orders.created', { exchange: orders, routingKey: 'order.created' });
const everything = new Queue('orders.all', {
  bindings: [new Binding(orders, { routingKey: '#' }), new Binding(audit)],
});

/** What a client has said through a proxy, in its order: method and the name it is about. */
const said = ({ frames }: AmqpProxy): string[] =>
  frames
    .filter(({ direction }) => direction === 'client')
    .map(({ method, fields }) => `${method} ${fields.queue ?? fields.exchange ?? ''}`.trim());

async function declaredOnFirst() {
  const vhost = await useVhost(brokers);
  const fronts = await useFronts(brokers, vhost);
  const connection = useConnection({ urls: fronts.map((front) => front.url) });
  await connection.declare(created, everything);
  await connection.connect();
  const producer = new Producer(connection);
  onTestFinished(() => producer.close());
  const publish = (id: number) =>
    producer.publish({ id }, { exchange: orders, routingKey: 'order.created' });
  await publish(1);
  return { vhost, connection, publish, one: fronts[0].proxy, two: fronts[1].proxy };
}

test('declares every exchange, queue and binding on an empty second broker before the first publish reaches it', async () => {
  const { vhost, publish, one, two } = await declaredOnFirst();
  one.refuse();
  one.cut('rst');

  await Promise.all([publish(2), publish(3)]);

  const frames = said(two);
  const published = frames.indexOf('basic.publish orders');
  for (const before of [
    'exchange.declare orders',
    'exchange.declare audit',
    'queue.declare orders.created',
    'queue.declare orders.all',
    'queue.bind orders.created',
    'queue.bind orders.all',
  ]) {
    expect(frames).toContain(before);
    expect(frames.lastIndexOf(before)).toBeLessThan(published);
  }
  expect(await second.readyCount('orders.created', vhost.name)).toBe(2);
  expect(await second.readyCount('orders.all', vhost.name)).toBe(2);
});

test('begins the declarations anew on the next connection when it is cut in the middle of them', async () => {
  const { vhost, publish, one, two } = await declaredOnFirst();
  two.once({ method: 'queue.bind' }, 'cut-rst');
  one.refuse();
  one.cut('rst');

  await publish(2);

  expect(two.dials).toBe(2);
  expect(await second.readyCount('orders.created', vhost.name)).toBe(1);
  expect(await second.readyCount('orders.all', vhost.name)).toBe(1);
});

test('consumes on an empty second broker, from a queue that was not there', async () => {
  const { vhost, connection, publish, one } = await declaredOnFirst();
  const seen: unknown[] = [];
  const consumer = new ConsumerLoop(connection, {
    name: 'Orders',
    queues: [created],
    handle: (body) => seen.push(body),
  });
  await consumer.start();
  const back = next(connection, 'connected');
  one.refuse();
  one.cut('fin');
  await back;

  await publish(2);

  await until('consumed', () => seen.length === 2, 20_000);
  expect(seen).toEqual([{ id: 1 }, { id: 2 }]);
  expect(await second.consumerCount('orders.created', vhost.name)).toBe(1);
  await consumer.stop();
});
