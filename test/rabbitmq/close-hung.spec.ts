import { expect, test } from 'vitest';
import { ConsumerLoop, FailoverConnection, Producer, Queue } from 'nestjs-failover';
import { startOwnBroker, useBrokers, useVhost } from '../kit/brokers.js';
import { CountingClock, rejection } from '../kit/dial.js';
import { next } from '../kit/fronts.js';
import { leftovers } from '../kit/leftovers.js';
import { until } from '../kit/rabbitmq/index.js';

const brokers = useBrokers();
const orders = new Queue('orders');

test('closes within its deadline when every broker hangs, with a consumer, a producer and a clone on it', async () => {
  const vhost = await useVhost(brokers);
  const clock = new CountingClock();
  const left = leftovers(clock);
  const connection = new FailoverConnection(
    {
      urls: vhost.urls,
      logger: false,
      closeTimeout: 500,
    },
    { clock },
  );
  const clone = connection.clone();
  const consumer = new ConsumerLoop(clone, { name: 'Orders', queues: [orders], handle: () => {} });
  await consumer.start();
  const producer = new Producer(connection);
  await producer.publish('first', { routingKey: 'orders' });
  await Promise.all(brokers.map((broker) => broker.pause()));
  const unconfirmed = producer.publish('second', { routingKey: 'orders' });
  const failure = rejection(unconfirmed);

  await consumer.stop({ timeout: 500 });
  await producer.close({ timeout: 500 });
  await Promise.all([connection.close(), clone.close()]);
  expect(await failure).toMatchObject({ outcome: 'unknown' });

  expect([connection.state.status, clone.state.status, consumer.state.status]).toEqual([
    'closed',
    'closed',
    'stopped',
  ]);
  expect(await left()).toEqual({});
});

test('closes at once when the broker hangs and only the connection is closed, and its publishes are told', async () => {
  const vhost = await useVhost(brokers);
  const clock = new CountingClock();
  const left = leftovers(clock);
  const connection = new FailoverConnection(
    {
      urls: vhost.urls,
      logger: false,
      closeTimeout: 500,
    },
    { clock },
  );
  const producer = new Producer(connection);
  await producer.publish('first', { routingKey: 'orders', declare: [orders] });
  await Promise.all(brokers.map((broker) => broker.pause()));
  const unconfirmed = producer.publish('second', { routingKey: 'orders' });
  const failure = rejection(unconfirmed);

  await connection.close();

  expect(await failure).toMatchObject({ outcome: 'unknown' });
  expect(await left()).toEqual({});
});

test('closes while the broker blocks publishers by its memory alarm', async () => {
  const broker = await startOwnBroker();
  const clock = new CountingClock();
  const left = leftovers(clock);
  const connection = new FailoverConnection(
    {
      urls: broker.url(),
      logger: false,
      closeTimeout: 500,
    },
    { clock },
  );
  const producer = new Producer(connection);
  await producer.publish('first', { routingKey: 'orders', declare: [orders] });
  await broker.memoryAlarm(true);
  const blocked = next(connection, 'blocked');
  const more = producer.publish('second', { routingKey: 'orders' });
  const failure = rejection(more);
  expect((await blocked).reason).toContain('memory');
  expect(connection.blocked).toContain('memory');

  await connection.close();

  expect(await failure).toMatchObject({ name: 'PublishError' });
  expect(await left()).toEqual({});
  await broker.memoryAlarm(false);
  await until('no connection', async () => (await broker.connectionCount('/')) === 0, 10_000);
});
