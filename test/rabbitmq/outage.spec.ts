import { expect, test } from 'vitest';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { next, recorded, useConnection, useFronts } from '../kit/fronts.js';

const brokers = useBrokers();
const [, second] = brokers;

test('reaches the one broker that comes back after all were down, and says how long it took', async () => {
  const vhost = await useVhost(brokers);
  const fronts = await useFronts(brokers, vhost);
  const connection = useConnection({ urls: fronts.map((front) => front.url), jitter: 0 });
  await connection.connect();
  const events = recorded(connection);
  const failing = next(connection, 'failed');
  for (const { proxy } of fronts) {
    proxy.refuse();
    proxy.cut('rst');
  }
  await failing;
  const waiting = connection.ensureConnection();
  const channel = connection.channel();

  await fronts[1].proxy.listen();

  await waiting;
  expect((await channel).connection.broker.port).toBe(fronts[1].proxy.port);
  const connected = events.find((event) => event.type === 'connected');
  expect(connected).toMatchObject({ outage: expect.any(Number) as number });
  expect(connection.asUri()).toContain(`:${fronts[1].proxy.port}/`);
});

test('waits after full rounds only: 0 within a round of two, then the growing interval', async () => {
  const vhost = await useVhost(brokers);
  const fronts = await useFronts(brokers, vhost);
  const connection = useConnection({
    urls: fronts.map((front) => front.url),
    intervalStart: 10,
    intervalStep: 10,
    intervalMax: 30,
    jitter: 0,
  });
  for (const { proxy } of fronts) proxy.acceptAndDrop();
  const events = recorded(connection);

  await expect(connection.ensureConnection({ maxRetries: 3 })).rejects.toMatchObject({
    attempts: 8,
  });

  const intervals = events.flatMap((event) => (event.type === 'failed' ? event.interval : []));
  expect(intervals).toEqual([0, 10, 0, 20, 0, 30, 0, 30]);
  expect(fronts.map(({ proxy }) => proxy.dials)).toEqual([4, 4]);
});

test('keeps an operation alive through the death of both real brokers, until one is back', async () => {
  const vhost = await useVhost(brokers);
  const connection = useConnection({ urls: vhost.urls });
  await connection.connect();
  const lost = next(connection, 'lost');
  await Promise.all(brokers.map((broker) => broker.kill()));
  await lost;

  const declaring = connection.autoretry((channel) => channel.assertQueue('orders'))();
  await second.start();

  expect(await declaring).toMatchObject({ queue: 'orders' });
  expect(await second.messageCount('orders', vhost.name)).toBe(0);
});
