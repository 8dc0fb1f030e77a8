import { setTimeout as after } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { Producer, Queue } from 'nestjs-failover';
import { startOwnCluster } from '../kit/brokers.js';
import { useConnection } from '../kit/fronts.js';
import { startProxy } from '../kit/proxy/index.js';
import type { RabbitNode } from '../kit/rabbitmq/index.js';
import { until } from '../kit/rabbitmq/index.js';
import { printRow } from '../kit/print-row.js';
import { expectNothingLost } from './figures.js';
import { lead } from './leader.js';
import { quorumQueue, useWorkload } from './workload.js';

/** Led by a healthy node: it must not feel that another one hangs. */
const bystander = new Queue('bystander', { type: 'quorum' });

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

/** Publishes one after the other from now on; the returned function ends that and gives the longest wait for a confirm. */
function stallsOf(producer: Producer): () => Promise<{ slowest: number; confirmed: number }> {
  const over = new AbortController();
  let slowest = 0;
  let confirmed = 0;
  const work = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const sent = performance.now();
      await producer.publish('x', { routingKey: bystander.name });
      slowest = Math.max(slowest, performance.now() - sent);
      confirmed += 1;
      await after(20);
    }
  };
  const working = work();
  return async () => {
    over.abort();
    await working;
    return { slowest, confirmed };
  };
}

test.each(runs)(
  'with a net tick of $netTick s the node that leads a quorum queue hangs: nothing is lost or refused, and consumers of every node go on elsewhere',
  { timeout: 360_000 },
  async ({ netTick, rate, timeout }) => {
    const cluster = await startOwnCluster(3, { netTickTime: netTick });
    const old = after(20_000);
    const [hung, second, third] = cluster.nodes as [RabbitNode, RabbitNode, RabbitNode];
    // In front of the node that everything is on while the other one hangs.
    const proxy = await startProxy({ target: { port: second.port }, recordLimit: 2_000_000 });
    onTestFinished(() => proxy.close());
    const url = proxy.url(second.url());
    const via = (...nodes: RabbitNode[]) =>
      useConnection({
        urls: nodes.map((node) => (node === second ? url : node.url())),
        cluster: true,
      });
    const consumers = [via(hung, second, third), via(second, third, hung)];
    const workload = useWorkload({
      publishers: [via(hung, second, third), via(second, third, hung)],
      consumers,
      queue: quorumQueue,
      rate,
      producer: { timeout },
    });
    await workload.start();
    const beside = via(second);
    await beside.declare(bystander);
    const besideProducer = new Producer(beside);
    onTestFinished(() => besideProducer.close({ timeout: 500 }));
    await besideProducer.publish('first', { routingKey: bystander.name });
    await lead(cluster, bystander, '/', second);
    await cluster.caughtUp(quorumQueue.name);
    await lead(cluster, quorumQueue, '/', hung);
    await old;
    await workload.moreHandled(400);
    workload.ledger.longestGap = 0;
    const begun = performance.now();
    await hung.pause();
    const from = proxy.arrivals.length;
    const stalls = stallsOf(besideProducer);
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
    const { slowest, confirmed } = await stalls();
    const asked = proxy.arrivals.filter(({ index }) => index >= from);
    const metadata = asked.filter(
      ({ direction, method, fields }) =>
        direction === 'client' &&
        (method === 'queue.bind' || (method.endsWith('declare') && fields.passive !== true)),
    );
    const passive = asked.filter(
      ({ direction, fields }) => direction === 'client' && fields.passive === true,
    );
    await workload.settled(timeout + 10_000);
    await workload.handled(60_000);

    workload.row(`cluster, SIGSTOP of the leader's node, net tick ${netTick} s`);
    printRow('consumers after SIGSTOP', {
      'consuming again ms': Math.round(consuming),
      'handling again ms': Math.round(handling),
    });
    printRow('the rest while it hangs', {
      'binds and declarations sent': metadata.length,
      'passive declarations sent': passive.length,
      'confirmed on another queue': confirmed,
      'slowest of them ms': Math.round(slowest),
    });
    expect(proxy.forgotten).toBe(0);
    expect(metadata).toEqual([]);
    expect(passive.length).toBeGreaterThan(0);
    expect(slowest).toBeLessThan(2_000);
    expectNothingLost(workload.ledger);
    expect(healthy()).toBe(true);
  },
);
