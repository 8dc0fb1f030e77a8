import { expect, test } from 'vitest';
import { Queue } from 'nestjs-failover';
import { printRow } from '../faults/figures.js';
import { useBrokers, useCluster } from '../kit/brokers.js';
import { counted, usePublishing } from './publish.setting.js';

const [broker] = useBrokers();
const cluster = useCluster();

test('a queue that is full nacks what is published to it, and slows no other of the same producer', async () => {
  const { publish } = await usePublishing(broker, {
    producer: { nackRetries: 6, nackBackoffStart: 50 },
  });
  const full = new Queue('full', { maxLength: 1, overflow: 'reject-publish' });
  const declare = [full, new Queue('healthy')];
  expect(await publish(0, { routingKey: 'full', declare })).toMatchObject({ outcome: 'confirmed' });
  /** Milliseconds for a thousand confirms, 100 at a time. */
  const thousand = async (): Promise<number> => {
    const began = performance.now();
    for (let tens = 0; tens < 10; tens += 1) {
      const burst = Array.from({ length: 100 }, (_, n) => publish(n, { routingKey: 'healthy' }));
      expect(counted(await Promise.all(burst))).toEqual({ confirmed: 100 });
    }
    return performance.now() - began;
  };
  await thousand();
  const rounds: { alone: number; beside: number }[] = [];
  const refused: ReturnType<typeof publish>[] = [];
  for (let round = 0; round < 3; round += 1) {
    const alone = await thousand();
    let ended = 0;
    const nacked = Array.from({ length: 20 }, (_, n) => publish(n, { routingKey: 'full' }));
    for (const one of nacked) void one.then(() => (ended += 1));
    rounds.push({ alone, beside: await thousand() });
    // All of it was beside publishes that were being refused.
    expect(ended).toBeLessThan(20);
    refused.push(...nacked);
    await Promise.all(nacked);
  }

  const endings = counted(await Promise.all(refused));
  const ratio = Math.min(...rounds.map(({ alone, beside }) => beside / alone));
  printRow('a full queue beside a healthy one', {
    'published to the full one': refused.length,
    ...endings,
    'ms for 1,000 alone, beside': rounds
      .map(({ alone, beside }) => `${Math.round(alone)}/${Math.round(beside)}`)
      .join(' '),
    'least ratio': ratio.toFixed(2),
  });
  expect(endings).toEqual({ nacked: 60 });
  // Stalled behind the full one, it would take as long as its retries: seconds.
  expect(ratio).toBeLessThan(2);
});

test('a queue that is full and then is not gets what waited, in order', async () => {
  const { publish, connection, drain } = await usePublishing(broker);
  const full = new Queue('full', {
    arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' },
  });
  await publish('first', { routingKey: 'full', declare: [full] });
  const second = publish('second', { routingKey: 'full' });
  const channel = await connection.channel();
  await channel.purgeQueue('full');

  expect(await second).toMatchObject({ outcome: 'confirmed' });
  expect(await drain('full')).toEqual(['second']);
});

test('first publishes to a quorum queue whose leader was just killed are all confirmed, none stays nacked', async () => {
  const node = cluster.nodes[1];
  if (node === undefined) throw new Error('no such node');
  const { vhost, connection, publish } = await usePublishing(cluster);
  const queue = new Queue('orders', { type: 'quorum' });
  await publish('first', { routingKey: 'orders', declare: [queue] });
  const leader = await cluster.running().leaderNameOf('orders', vhost.name);
  const led = cluster.nodes.find(({ name }) => name === leader) ?? node;
  const other = cluster.nodes.find((one) => one !== led);
  await connection.switchTo(vhost.url(other ?? node));
  await led.kill();
  const endings: ReturnType<typeof publish>[] = [];
  for (let n = 0; n < 60; n += 1) {
    endings.push(publish(n, { routingKey: 'orders' }));
    await new Promise((resolve) => {
      setTimeout(resolve, 25);
    });
  }

  expect(counted(await Promise.all(endings))).toEqual({ confirmed: 60 });
});
