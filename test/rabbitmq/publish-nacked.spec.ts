import { expect, test } from 'vitest';
import { Queue } from 'nestjs-failover';
import { useBrokers, useCluster } from '../kit/brokers.js';
import { counted, usePublishing } from './publish.setting.js';

const [broker] = useBrokers();
const cluster = useCluster();

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
