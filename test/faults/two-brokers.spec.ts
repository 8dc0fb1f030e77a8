import { setTimeout as after } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { Queue } from 'nestjs-failover';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { useConnection, useFront } from '../kit/fronts.js';
import { printRow } from '../kit/print-row.js';
import type { AmqpProxy } from '../kit/proxy/index.js';
import { until } from '../kit/rabbitmq/index.js';
import { expectNothingLost } from './figures.js';
import { foundOn } from './found-on.js';
import { classicQueue, orders, useWorkload } from './workload.js';
import type { WorkloadOptions } from './workload.js';

const brokers = useBrokers();
const [first, second] = brokers;

/** Bound to the same exchange, and consumed by nobody. */
const audit = new Queue('audit', { exchange: orders, routingKey: '#' });

/** An app that is on the first of two brokers, and is slower at handling than at publishing. */
async function onFirst(options: Partial<WorkloadOptions>) {
  const vhost = await useVhost(brokers);
  const { proxy, url } = await useFront(second, vhost);
  const publishing = useConnection({ urls: [vhost.url(first), url] });
  const consuming = publishing.clone();
  onTestFinished(() => consuming.close());
  await publishing.declare(audit);
  const workload = useWorkload({
    publishers: [publishing],
    consumers: [consuming],
    queue: classicQueue,
    rate: 500,
    consumer: { prefetchCount: 5 },
    work: () => after(20),
    ...options,
  });
  await workload.start();
  return { vhost, proxy, publishing, workload };
}

const DECLARED = new Set<string>(['exchange.declare', 'queue.declare', 'queue.bind']);

/**
 * What the broker had agreed to declare and to bind before the first publish came, on whichever connection: what the consumer's
 * has declared, the producer's only looks at.
 */
function declaredBeforePublish({ frames }: AmqpProxy): string[] {
  const asked = new Map<string, string[]>();
  const agreed = new Set<string>();
  for (const { direction, method, connection, channel, fields } of frames) {
    if (method === 'basic.publish') break;
    const key = `${connection}/${channel}`;
    const waiting = asked.get(key) ?? [];
    asked.set(key, waiting);
    if (direction === 'client' && DECLARED.has(method)) {
      waiting.push(`${method} ${fields.queue ?? fields.exchange ?? ''}`);
    } else if (direction === 'broker' && DECLARED.has(method.replace(/-ok$/, ''))) {
      const done = waiting.shift();
      if (done !== undefined) agreed.add(done);
    }
  }
  return [...agreed].toSorted();
}

test('of two brokers one is killed and restarted: every confirmed id was handled or is found there, and the other one got its topology first', async () => {
  const { vhost, proxy, workload } = await onFirst({});
  await workload.moreConfirmed(1_500);
  await first.kill();
  await workload.moreConfirmed(1_000);
  await first.start();
  await workload.settled();
  const left = () => second.messageCount(classicQueue.name, vhost.name);
  await until('the second broker has nothing left', async () => (await left()) === 0, 60_000);

  const found = await foundOn(vhost.url(first), classicQueue);
  workload.row(`two brokers, SIGKILL (${found.size} found on the restarted one)`, found);
  expectNothingLost(workload.ledger, found);
  expect(found.size).toBeGreaterThan(0);
  const declared = declaredBeforePublish(proxy);
  printRow('on the empty second broker before the first publish', { declared: declared.join('+') });
  expect(proxy.forgotten).toBe(0);
  expect(declared).toEqual([
    'exchange.declare orders',
    'queue.bind audit',
    'queue.bind orders.created',
    'queue.declare audit',
    'queue.declare orders.created',
  ]);
});

test('of two brokers the connected one hangs: nothing is lost or refused', async () => {
  const { vhost, workload, publishing } = await onFirst({ producer: { timeout: 60_000 } });
  await workload.moreConfirmed(1_000);
  workload.ledger.longestGap = 0;
  await first.pause();
  await workload.moreConfirmed(2_000);
  expect(publishing.asUri()).not.toContain(`:${first.port}/`);
  await workload.settled(70_000);
  const left = () => second.messageCount(classicQueue.name, vhost.name);
  await until('the second broker has nothing left', async () => (await left()) === 0, 100_000);
  await first.resume();

  const found = await foundOn(vhost.url(first), classicQueue);
  workload.row(`two brokers, SIGSTOP (${found.size} found on the resumed one)`, found);
  expectNothingLost(workload.ledger, found);
});
