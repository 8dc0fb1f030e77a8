import { setTimeout as after } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startOwnCluster } from '../kit/brokers.js';
import { useConnection } from '../kit/fronts.js';
import type { RabbitNode } from '../kit/rabbitmq/index.js';
import { until } from '../kit/rabbitmq/index.js';
import { printRow } from '../kit/print-row.js';
import { expectNothingLost } from './figures.js';
import { lead } from './leader.js';
import { quorumQueue, useWorkload } from './workload.js';

interface Run {
  /** In seconds, as Erlang has it: by then a hung node counts as down, and metadata can be written again. */
  readonly netTick: number;
  readonly rate: number;
  readonly timeout: number;
}

const runs: readonly Run[] = [
  { netTick: 8, rate: 400, timeout: 120_000 },
  // Erlang's default. RabbitMQ 3.10 then nacks first publishes one by one, each after 7 s.
  { netTick: 60, rate: 100, timeout: 180_000 },
];

test.each(runs)(
  'with a net tick of $netTick s the node that leads a quorum queue hangs: nothing is lost or refused, and consumers of every node go on elsewhere',
  { timeout: 360_000 },
  async ({ netTick, rate, timeout }) => {
    const cluster = await startOwnCluster(3, { netTickTime: netTick });
    const old = after(20_000);
    const [hung, second, third] = cluster.nodes as [RabbitNode, RabbitNode, RabbitNode];
    const via = (...nodes: RabbitNode[]) =>
      useConnection({ urls: nodes.map((node) => node.url()), cluster: true });
    const consumers = [via(hung, second, third), via(second, third, hung)];
    const workload = useWorkload({
      publishers: [via(hung, second, third), via(second, third, hung)],
      consumers,
      queue: quorumQueue,
      rate,
      producer: { timeout },
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
    await until('both consume on a healthy node', healthy, 120_000);
    const consuming = performance.now() - begun;
    await workload.moreHandled(2_000, 90_000);
    const handling = performance.now() - begun;
    await workload.settled(timeout + 10_000);
    await workload.handled(60_000);

    workload.row(`cluster, SIGSTOP of the leader's node, net tick ${netTick} s`);
    printRow('consumers after SIGSTOP', {
      'consuming again ms': Math.round(consuming),
      'handling again ms': Math.round(handling),
    });
    expectNothingLost(workload.ledger);
    expect(healthy()).toBe(true);
  },
);
