import { expect, test } from 'vitest';
import { useCluster, useVhost } from '../kit/brokers.js';
import { useConnection } from '../kit/fronts.js';
import { printRow } from '../kit/print-row.js';
import type { RabbitNode } from '../kit/rabbitmq/index.js';
import { until } from '../kit/rabbitmq/index.js';
import { expectMarksWithinFlight, expectNothingLost } from './figures.js';
import { lead, nodeOf } from './leader.js';
import { PREFETCH, quorumQueue, useWorkload } from './workload.js';

const cluster = useCluster();

interface Fault {
  readonly name: string;
  inject(node: RabbitNode): Promise<void>;
  undo(node: RabbitNode): Promise<void>;
  /**
   * The channel's process ends without a word. When its node is back, a quorum queue takes the consumers that it had there for
   * alive until it looks, sends each a prefetch once more, and marks that on its way to the next: `nodeup` in rabbit_fifo.
   */
  readonly silent?: true;
}

const start = (node: RabbitNode) => node.start();

const faults: readonly Fault[] = [
  { name: 'SIGKILL', inject: (node) => node.kill(), undo: start, silent: true },
  { name: 'stop_app', inject: (node) => node.stopApp(), undo: (node) => node.startApp() },
  { name: 'SIGTERM', inject: (node) => node.stop(), undo: start },
  {
    name: 'close_all_connections',
    inject: (node) => node.closeConnections('maintenance'),
    undo: () => Promise.resolve(),
  },
];

/** How it says that it gave a connection up itself, in `publish.messages.ts`. */
const ourDoing = /answered publish|opened no channel|confirmed nothing|heartbeat/i;

type Role = 'the leader' | 'another node';

const runs = faults.flatMap((fault): (Fault & { roles: Role[] })[] => {
  const first: Role[] = ['the leader', 'another node'];
  return fault.name === 'SIGKILL'
    ? [
        { ...fault, roles: first },
        { ...fault, roles: first.toReversed() },
      ]
    : [{ ...fault, roles: first }];
});

test.each(runs)(
  'loses and refuses nothing, and keeps the order, through $name of the connected node of a cluster, twice: $roles',
  async ({ name, roles, inject, undo, silent }) => {
    const vhost = await useVhost(cluster);
    const publishing = useConnection({ urls: vhost.urls });
    const told: string[] = [];
    const quiet = (): void => undefined;
    const logger = {
      log: quiet,
      warn: quiet,
      debug: quiet,
      error: (text: string) => told.push(text),
    };
    const workload = useWorkload({
      publishers: [publishing, publishing],
      consumers: [useConnection({ urls: vhost.urls, logger })],
      queue: quorumQueue,
      rate: 1_000,
    });
    await workload.start();
    const { ledger } = workload;
    const losses: string[] = [];
    const marked = { atKills: 0, atReturns: 0 };
    publishing.on('lost', ({ broker, error }) => losses.push(`${broker}: ${error.message}`));
    for (const role of roles) {
      await workload.moreHandled(1_000);
      await cluster.caughtUp(quorumQueue.name, vhost.name);
      const connected = nodeOf(cluster.nodes, publishing);
      const other = cluster.running(connected);
      await lead(cluster, quorumQueue, vhost.name, role === 'the leader' ? connected : other);
      await workload.moreHandled(500);
      ledger.longestGap = 0;
      const { size: beforeKill } = ledger.redelivered;
      await inject(connected);
      await workload.moreConfirmed(1_000);
      const outage = Math.round(ledger.longestGap);
      process.stdout.write(`[fault] ${name} of ${role}: outage ms ${outage}\n`);
      const { size: beforeReturn } = ledger.redelivered;
      await undo(connected);
      // A node that has just started may still refuse to be asked.
      const complete = () =>
        cluster.complete().then(
          () => true,
          () => false,
        );
      await until('the cluster is complete', complete, 60_000);
      await workload.moreHandled(1_000);
      marked.atKills += beforeReturn - beforeKill;
      marked.atReturns += ledger.redelivered.size - beforeReturn;
      if (silent) workload.inFlight.deliveries += PREFETCH;
    }
    await workload.settled();
    await workload.handled();

    const figures = workload.row(`cluster, ${name}, twice (${roles.join(', then ')})`);
    for (const why of losses) process.stdout.write(`[fault] lost ${why}\n`);
    printRow('redelivered', { 'at the kills': marked.atKills, 'at the returns': marked.atReturns });
    expect(marked.atKills - ledger.acksLost.size).toBeLessThanOrEqual(PREFETCH * roles.length);
    expect(told).toEqual([]);
    // A node that comes or goes may end a connection that had nothing to do with the one killed. We must not.
    expect(losses.length).toBeGreaterThanOrEqual(roles.length);
    expect(losses.filter((why) => ourDoing.test(why))).toEqual([]);
    expectNothingLost(ledger);
    expect(ledger.disordered.slice(0, 5)).toEqual([]);
    expect(ledger.unmarkedAgain.slice(0, 5)).toEqual([]);
    expectMarksWithinFlight(figures);
  },
);
