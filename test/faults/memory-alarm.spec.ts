import { setTimeout as after } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { useConnection } from '../kit/fronts.js';
import { until } from '../kit/rabbitmq/index.js';
import { printRow } from '../kit/print-row.js';
import { classicQueue, useWorkload } from './workload.js';

const [broker] = useBrokers();

const MIB = 1_048_576;
const BOUND = 8 * MIB;

/** The most resident memory from now until it is asked. */
function peakMemory(): () => number {
  let peak = process.memoryUsage.rss();
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 50);
  return () => {
    clearInterval(timer);
    return peak;
  };
}

test('a memory alarm at 5,000 publishes of 1 KiB a second: memory stays bounded, all is settled, and acks go on', async () => {
  const vhost = await useVhost(broker);
  const publishing = useConnection({ urls: vhost.urls });
  const workload = useWorkload({
    publishers: [publishing],
    consumers: [useConnection({ urls: vhost.urls })],
    queue: classicQueue,
    rate: 5_000,
    payload: 'x'.repeat(1_000),
    producer: { maxBytes: BOUND, timeout: 60_000 },
  });
  const [consumer] = workload.consumers;
  await workload.start();
  await workload.moreConfirmed(15_000);
  await consumer?.pause();
  await workload.moreConfirmed(5_000);

  const before = process.memoryUsage.rss();
  const peak = peakMemory();
  await broker.memoryAlarm(true);
  await until('it is blocked', () => publishing.blocked !== undefined, 10_000);
  const settledBefore = workload.ledger.confirmed.size;
  const publishedBefore = workload.ledger.published;
  const stopped = after(10_000).then(() => workload.stopPublishing());
  const backlog = await broker.messageCount(classicQueue.name, vhost.name);
  consumer?.resume();
  const left = () => broker.messageCount(classicQueue.name, vhost.name);
  await until('the backlog is acknowledged', async () => (await left()) === 0, 30_000);
  const ackedWhileBlocked = publishing.blocked !== undefined;
  await stopped;
  const published = workload.ledger.published - publishedBefore;
  const growth = peak() - before;
  const confirmedWhileBlocked = workload.ledger.confirmed.size - settledBefore;
  await broker.memoryAlarm(false);
  await workload.settled(70_000);
  await workload.handled();

  workload.row('memory alarm at 5,000 publishes/s of 1 KiB for 10 s');
  const mib = (bytes: number) => (bytes / MIB).toFixed(1);
  printRow('memory alarm', {
    'growth MiB': mib(growth),
    'allowed MiB': mib(1.5 * BOUND + 32 * MIB),
    'published while blocked': published,
    backlog: backlog ?? 0,
    'acked while blocked': ackedWhileBlocked,
  });
  const { ledger } = workload;
  expect(growth).toBeLessThanOrEqual(1.5 * BOUND + 32 * MIB);
  expect(published).toBeGreaterThan(45_000);
  expect(backlog).toBeGreaterThan(1_000);
  expect(ackedWhileBlocked).toBe(true);
  expect(confirmedWhileBlocked).toBe(0);
  // What found no room was told so at once; what was taken is confirmed.
  expect(
    ledger.rejections.filter(({ outcome, after: ms }) => outcome !== 'not-sent' || ms > 1_000),
  ).toEqual([]);
  expect(ledger.pending).toBe(0);
  expect(ledger.missing()).toEqual([]);
});
