import { expect, onTestFinished, test } from 'vitest';
import type { ErrbackEvent } from 'nestjs-failover';
import { Producer, Queue } from 'nestjs-failover';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { useConnection, useFronts } from '../kit/fronts.js';
import { freePorts } from '../kit/rabbitmq/ports.js';

const brokers = useBrokers();
const [first, second] = brokers;
const dest = new Queue('dest');

/** The guide's third example: a publish ensured over these brokers, and what its errback was told. */
function ensuredPublish(urls: readonly string[]) {
  const connection = useConnection({ urls });
  const producer = new Producer(connection);
  onTestFinished(() => producer.close());
  const losses: ErrbackEvent[] = [];
  const errback = (event: ErrbackEvent) => losses.push(event);
  const ensured = connection.ensure(producer, producer.publish, { errback, maxRetries: 3 });
  const publish = (body: unknown) => ensured(body, { routingKey: 'dest', declare: [dest] });
  return { connection, publish, losses };
}

test('publishes to the second broker when the first is dead from the start', async () => {
  const vhost = await useVhost(second);
  const [dead = 0] = await freePorts(1);
  const { publish, losses } = ensuredPublish([`amqp://127.0.0.1:${dead}`, vhost.url(second)]);

  const receipt = await publish({ hello: 'world' });

  expect(receipt).toMatchObject({ attempts: 1, redeliverySuspect: false });
  expect(receipt.broker).toContain(`:${second.port}/`);
  expect(await second.readyCount('dest', vhost.name)).toBe(1);
  expect(losses).toMatchObject([{ attempt: 1, interval: 0, error: { name: 'ConnectError' } }]);
});

test('publishes to the second broker when the first dies between two publishes', async () => {
  const vhost = await useVhost(brokers);
  const { publish } = ensuredPublish(vhost.urls);
  expect((await publish({ hello: 'first' })).broker).toContain(`:${first.port}/`);

  await first.kill();

  expect((await publish({ hello: 'second' })).broker).toContain(`:${second.port}/`);
  expect(await second.readyCount('dest', vhost.name)).toBe(1);
});

test('publishes again on the second broker when the first is lost before it has confirmed', async () => {
  const vhost = await useVhost(brokers);
  const fronts = await useFronts(brokers, vhost);
  const { publish, losses } = ensuredPublish(fronts.map((front) => front.url));
  fronts[0].proxy.once({ method: 'basic.ack', direction: 'broker' }, 'cut-rst');

  const receipt = await publish({ hello: 'world' });

  expect(receipt).toMatchObject({ attempts: 2, redeliverySuspect: true });
  expect(receipt.broker).toContain(`:${fronts[1].proxy.port}/`);
  expect(await second.readyCount('dest', vhost.name)).toBe(1);
  expect(losses).toMatchObject([{ error: { name: 'AmqpError' } }]);
});

test('does not run a publish again that was to be sent once only: it may be stored', async () => {
  const vhost = await useVhost(brokers);
  const fronts = await useFronts(brokers, vhost);
  const connection = useConnection({ urls: fronts.map((front) => front.url) });
  await connection.declare(dest);
  const producer = new Producer(connection);
  onTestFinished(() => producer.close());
  await connection.connect();
  fronts[0].proxy.once({ method: 'basic.ack', direction: 'broker' }, 'cut-rst');

  const publishing = connection.ensure(producer, producer.publish)(
    { hello: 'world' },
    { routingKey: 'dest', republish: false },
  );

  await expect(publishing).rejects.toMatchObject({ name: 'PublishError', outcome: 'unknown' });
  expect(fronts[1].proxy.count({ method: 'basic.publish' })).toBe(0);
});
