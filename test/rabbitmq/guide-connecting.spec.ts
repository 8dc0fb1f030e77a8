import { expect, test } from 'vitest';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { recorded, told, useConnection, useFronts } from '../kit/fronts.js';
import { freePorts } from '../kit/rabbitmq/ports.js';

const brokers = useBrokers();
const [first, second] = brokers;

test('connects to the healthy broker of two, whose URL has no scheme, as in the first example of the guide', async () => {
  const vhost = await useVhost(second);
  const [dead = 0] = await freePorts(1);
  const connection = useConnection({
    urls: `amqp://guest:guest@127.0.0.1:${dead};guest:guest@127.0.0.1:${second.port}/${vhost.name}`,
  });
  const events = recorded(connection);

  await connection.connect();

  expect(connection.asUri()).toBe(`amqp://guest:**@127.0.0.1:${second.port}/${vhost.name}`);
  expect(connection.info().broker).toBe(connection.asUri());
  expect(told(events)).toEqual([
    `connecting ${dead}`,
    `failed ${dead}`,
    `connecting ${second.port}`,
    `connected ${second.port}`,
  ]);
  expect(events[1]).toMatchObject({ interval: 0, error: { reason: 'unreachable' } });
});

test('dials the second broker in the turn in which the first one drops it, and each of them once', async () => {
  const vhost = await useVhost(brokers);
  const [dropping, healthy] = await useFronts(brokers, vhost);
  dropping.proxy.acceptAndDrop();
  // An hour of waiting after a full round: connected at all means that nobody waited.
  const connection = useConnection({
    urls: [dropping.url, healthy.url],
    intervalStart: 3_600_000,
    intervalMax: 3_600_000,
  });

  await connection.connect();

  expect([dropping.proxy.dials, healthy.proxy.dials]).toEqual([1, 1]);
});

test('connects to the second broker when the first was killed', async () => {
  const vhost = await useVhost(brokers);
  await first.kill();
  const connection = useConnection({ urls: vhost.urls.join(';') });

  await connection.connect();

  expect(connection.info()).toMatchObject({
    status: 'connected',
    broker: `amqp://guest:**@127.0.0.1:${second.port}/${vhost.name}`,
    server: { product: expect.stringMatching(/RabbitMQ|MemoryBroker/u) },
  });
});

test('says broker by broker why it cannot connect when all are dead, after each was tried twice', async () => {
  const [one = 0, two = 0] = await freePorts(2);
  const connection = useConnection({ urls: `amqp://127.0.0.1:${one};amqp://127.0.0.1:${two}` });

  await expect(connection.connect()).rejects.toMatchObject({
    name: 'OperationalError',
    attempts: 4,
    failures: [
      { broker: `amqp://guest:**@127.0.0.1:${one}/%2F`, error: { reason: 'unreachable' } },
      { broker: `amqp://guest:**@127.0.0.1:${two}/%2F`, error: { reason: 'unreachable' } },
    ],
  });
  expect(connection.state.status).toBe('idle');
});
