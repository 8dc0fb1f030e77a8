import { expect, onTestFinished, test } from 'vitest';
import { Producer } from 'nestjs-failover';
import { useCluster, useVhost } from '../kit/brokers.js';
import { useConnection, useFront } from '../kit/fronts.js';
import { printRow } from '../kit/print-row.js';
import { lead } from './leader.js';
import { quorumQueue } from './workload.js';

const cluster = useCluster();

// One channel each: fewer than a connection may have, and than the lists of a slow machine take.
const MOST_CHANNELS = 1_200;
// The election is over some hundred milliseconds after the node has died.
const AFTER_DEATH = 700;

// Its twin on a fake transport, which makes the nacks every time: 'a nacked publish on a channel that is nacked for good
// recovers with all others on a new channel' in test/failover/producer-nacked.spec.ts.
test('recovers, on a new channel, what RabbitMQ 3.10 nacks of first publishes between the death of a node and the election', async ({
  skip,
}) => {
  const version = (await cluster.running().eval('rabbit_misc:version()')).replaceAll('"', '');
  if (!/^3\.(8|9|10|11)\./.test(version)) skip(`RabbitMQ ${version} does not do it`);
  const vhost = await useVhost(cluster);
  const [doomed, survivor] = cluster.nodes;
  if (doomed === undefined || survivor === undefined) throw new Error('a cluster of one');
  const { proxy, url } = await useFront(survivor, vhost);
  const connection = useConnection({ urls: [url] });
  await connection.declare(quorumQueue);
  await connection.connect();
  const first = new Producer(connection);
  const how = { routingKey: quorumQueue.name, timeout: 30_000 };
  await first.publish('first', how);
  await cluster.caughtUp(quorumQueue.name, vhost.name);
  await lead(cluster, quorumQueue, vhost.name, doomed);
  const producers: Producer[] = [];
  onTestFinished(async () => {
    await Promise.all([first, ...producers].map((producer) => producer.close({ timeout: 500 })));
  });
  const begun = performance.now();
  let until = Infinity;
  const killed = doomed.kill().then(() => {
    until = performance.now() + AFTER_DEATH;
  });
  const endings: Promise<{ attempts: number; after: number }>[] = [];
  while (performance.now() < until && producers.length < MOST_CHANNELS) {
    const producer = new Producer(connection);
    producers.push(producer);
    for (let n = 0; n < 3; n += 1) {
      endings.push(
        producer
          .publish(n, how)
          .then(({ attempts }) => ({ attempts, after: performance.now() - begun })),
      );
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
  await killed;
  const settled = await Promise.allSettled(endings);
  const confirmed = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const nacks = proxy.count({ direction: 'broker', method: 'basic.nack' });
  const again = confirmed.filter(({ attempts }) => attempts > 1).length;
  const firstNack = proxy.frames.find(
    ({ direction, method }) => direction === 'broker' && method === 'basic.nack',
  );
  const reopened = proxy.frames.filter(
    ({ direction, method, index }) =>
      direction === 'client' && method === 'channel.open' && index > (firstNack?.index ?? 0),
  ).length;
  printRow(`stuck nack, RabbitMQ ${version}`, {
    published: endings.length,
    confirmed: confirmed.length,
    rejected: endings.length - confirmed.length,
    nacks,
    'tried again': again,
    'outage ms': Math.round(Math.max(...confirmed.map(({ after }) => after))),
    'channels opened after the first nack': reopened,
  });

  expect(doomed.alive).toBe(false);
  expect(nacks).toBeGreaterThan(0);
  expect(again).toBeGreaterThan(0);
  expect(reopened).toBeGreaterThan(0);
  expect(settled.filter(({ status }) => status === 'rejected').slice(0, 3)).toEqual([]);
});
