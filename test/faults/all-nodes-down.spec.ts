import { setTimeout as after } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { useCluster, useVhost } from '../kit/brokers.js';
import { useConnection } from '../kit/fronts.js';
import { quorumQueue, useWorkload } from './workload.js';

const cluster = useCluster();

const DOWN = 20_000;
const IMPATIENT = 5_000;
const PATIENT = 120_000;

test('all nodes are down for 20 s: a publish is rejected at its own deadline only, and all others are confirmed', async () => {
  const vhost = await useVhost(cluster);
  const workload = useWorkload({
    publishers: [useConnection({ urls: vhost.urls })],
    consumers: [useConnection({ urls: vhost.urls })],
    queue: quorumQueue,
    rate: 200,
    publish: ({ n }) => ({ timeout: n % 2 === 1 ? IMPATIENT : PATIENT }),
  });
  await workload.start();
  await workload.moreHandled(400);
  await cluster.caughtUp(quorumQueue.name, vhost.name);
  const down = after(DOWN);
  await Promise.all(cluster.nodes.map((node) => node.kill()));
  await down;
  await cluster.heal();
  await workload.moreConfirmed(1_000, PATIENT);
  await workload.settled(PATIENT);
  await workload.handled();

  workload.row('all nodes down for 20 s, every second publish with a deadline of 5 s');
  const { ledger } = workload;
  const { rejections } = ledger;
  expect(rejections.length).toBeGreaterThan(1_000);
  expect(rejections.filter(({ id }) => id.n % 2 === 0)).toEqual([]);
  const early = rejections.filter((one) => one.after < IMPATIENT - 5);
  const late = rejections.filter((one) => one.after > IMPATIENT + 1_000);
  expect([early.length, late.length]).toEqual([0, 0]);
  const outcomes = new Set(rejections.map(({ outcome }) => outcome));
  expect([...outcomes].filter((one) => one !== 'not-sent' && one !== 'unknown')).toEqual([]);
  expect(ledger.missing()).toEqual([]);
});
