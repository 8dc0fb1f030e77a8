import { expect, test } from 'vitest';
import type { Channel } from 'nestjs-failover';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { next, useConnection, useFronts } from '../kit/fronts.js';
import { freePorts } from '../kit/rabbitmq/ports.js';

const brokers = useBrokers();
const [first, second] = brokers;

const declareTestQueue = (channel: Channel) => channel.assertQueue('test_queue');

test('declares on the second broker when the first is dead from the start', async () => {
  const vhost = await useVhost(second);
  const [dead = 0] = await freePorts(1);
  const connection = useConnection({ urls: [`amqp://127.0.0.1:${dead}`, vhost.url(second)] });

  const declare = connection.autoretry(declareTestQueue);

  expect(await declare()).toMatchObject({ queue: 'test_queue', messageCount: 0 });
  expect(await second.messageCount('test_queue', vhost.name)).toBe(0);
});

test('declares on the second broker when the first has died since connecting', async () => {
  const vhost = await useVhost(brokers);
  const connection = useConnection({ urls: vhost.urls });
  await connection.connect();
  const declare = connection.autoretry(declareTestQueue);
  await declare();
  expect(await first.messageCount('test_queue', vhost.name)).toBe(0);
  expect(await second.messageCount('test_queue', vhost.name)).toBeUndefined();

  await first.kill();
  await declare();

  expect(await second.messageCount('test_queue', vhost.name)).toBe(0);
});

test('passes a channel of the second broker when the first is lost while it declares', async () => {
  const vhost = await useVhost(brokers);
  const fronts = await useFronts(brokers, vhost);
  const connection = useConnection({ urls: fronts.map((front) => front.url) });
  await connection.connect();
  fronts[0].proxy.once({ method: 'queue.declare' }, 'cut-rst');
  const channels: Channel[] = [];

  await connection.autoretry((channel, name: string) => {
    channels.push(channel);
    return channel.assertQueue(name);
  })('test_queue');

  expect(channels.map((channel) => channel.connection.broker.port)).toEqual(
    fronts.map((front) => front.proxy.port),
  );
  expect(await second.messageCount('test_queue', vhost.name)).toBe(0);
});

test('leaves no channel open, however many times it ran', async () => {
  const vhost = await useVhost(brokers);
  const fronts = await useFronts(brokers, vhost);
  const connection = useConnection({ urls: fronts.map((front) => front.url) });
  const declare = connection.autoretry(declareTestQueue);
  for (let i = 0; i < 3; i += 1) {
    await declare();
    const back = next(connection, 'connected');
    for (const { proxy } of fronts) proxy.cut('fin');
    await back;
  }
  await declare();

  const opened = fronts[1].proxy.frames.filter((frame) => frame.connection === 2);
  const count = (method: string) => opened.filter((frame) => frame.method === method).length;
  expect(count('channel.close-ok')).toBe(count('channel.open'));
});
