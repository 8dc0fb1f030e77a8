import { setTimeout as after } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { Queue } from 'nestjs-failover';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { useConnection, useFront } from '../kit/fronts.js';
import type { AmqpProxy, RecordedFrame } from '../kit/proxy/index.js';
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

/**
 * What the broker had agreed to declare and bind before the first publish came. By the producer's connection or the consumers',
 * whichever was first: the other one then only looks.
 */
function declaredBeforePublish({ frames }: AmqpProxy) {
  const publish = frames.find(({ method }) => method === 'basic.publish');
  const before = frames.filter(({ index }) => index < (publish?.index ?? 0));
  const agreed = (method: RecordedFrame['method'], name: 'queue' | 'exchange') => {
    const asked = before.filter((one) => one.method === method);
    const confirmed = asked.filter(({ connection, channel, index }) =>
      before.some(
        (reply) =>
          reply.method === `${method}-ok` &&
          reply.connection === connection &&
          reply.channel === channel &&
          reply.index > index,
      ),
    );
    return [...new Set(confirmed.map(({ fields }) => String(fields[name])))].toSorted();
  };
  return {
    exchanges: agreed('exchange.declare', 'exchange'),
    queues: agreed('queue.declare', 'queue'),
    bindings: agreed('queue.bind', 'queue'),
  };
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
  expect(declaredBeforePublish(proxy)).toEqual({
    exchanges: ['orders'],
    queues: ['audit', 'orders.created'],
    bindings: ['audit', 'orders.created'],
  });
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
