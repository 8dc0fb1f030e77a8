import { setTimeout as after } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startOwnCluster } from '../kit/brokers.js';
import { useConnection } from '../kit/fronts.js';
import type { RabbitNode } from '../kit/rabbitmq/index.js';
import { until } from '../kit/rabbitmq/index.js';
import { expectNothingLost, printRow } from './figures.js';
import { lead } from './leader.js';
import { quorumQueue, useWorkload } from './workload.js';

const NET_TICK = 8;

test('the node that leads a quorum queue hangs: nothing is lost or refused, and consumers of every node go on elsewhere', async () => {
  const cluster = await startOwnCluster(3, { netTickTime: NET_TICK });
  const old = after(20_000);
  const [hung, second, third] = cluster.nodes as [RabbitNode, RabbitNode, RabbitNode];
  const via = (...nodes: RabbitNode[]) =>
    useConnection({ urls: nodes.map((node) => node.url()), cluster: true });
  const consumers = [via(hung, second, third), via(second, third, hung)];
  const workload = useWorkload({
    publishers: [via(hung, second, third), via(second, third, hung)],
    consumers,
    queue: quorumQueue,
    rate: 400,
    producer: { timeout: 120_000 },
  });
  await workload.start();
  await cluster.caughtUp(quorumQueue.name);
  await lead(cluster, quorumQueue, '/', hung);
  await old;
  await workload.moreHandled(400);
  workload.ledger.longestGap = 0;
  const begun = performance.now();
  await hung.pause();
  const healthy = () =>
    consumers.every(
      (connection, index) =>
        connection.state.status === 'connected' &&
        !connection.asUri().includes(`:${hung.port}/`) &&
        workload.consumers[index]?.state.status === 'consuming',
    );
  await until('both consume on a healthy node', healthy, 90_000);
  const consuming = performance.now() - begun;
  await workload.moreHandled(2_000, 90_000);
  const handling = performance.now() - begun;
  await workload.settled(130_000);
  await workload.handled(60_000);

  workload.row(`cluster, SIGSTOP of the leader's node, net tick ${NET_TICK} s`);
  printRow('consumers after SIGSTOP', {
    'consuming again ms': Math.round(consuming),
    'handling again ms': Math.round(handling),
  });
  expectNothingLost(workload.ledger);
  expect(healthy()).toBe(true);
});
