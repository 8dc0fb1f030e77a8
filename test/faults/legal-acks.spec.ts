import { setTimeout as after } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { useConnection } from '../kit/fronts.js';
import { assertLegalAcks, startProxy } from '../kit/proxy/index.js';
import { until } from '../kit/rabbitmq/index.js';
import { printRow } from '../kit/print-row.js';
import { expectNothingLost } from './figures.js';
import { classicQueue, useWorkload } from './workload.js';

const [broker] = useBrokers();

const CUTS = 12;

test('on the wire, over many cuts, no ack, nack or reject names a tag that is not outstanding on its channel', async () => {
  const vhost = await useVhost(broker);
  const proxy = await startProxy({ target: { port: broker.port }, recordLimit: 2_000_000 });
  onTestFinished(() => proxy.close());
  const url = proxy.url(vhost.url(broker));
  const consuming = useConnection({ urls: url });
  const failed = new Set<number>();
  const workload = useWorkload({
    publishers: [useConnection({ urls: url })],
    consumers: [consuming],
    queue: classicQueue,
    rate: 400,
    consumer: { prefetchCount: 30, backoffStart: 50, settleTimeout: 2_000 },
    // Acks out of order, late ones after a cut, and now and then a failure that is requeued.
    work: async ({ n }) => {
      await after(n % 40);
      if (n % 25 === 0 && !failed.has(n)) {
        failed.add(n);
        throw new Error('not yet');
      }
    },
  });
  await workload.start();
  for (let cut = 0; cut < CUTS; cut += 1) {
    await workload.moreHandled(100);
    // In turn all at once, at an ack, and while acks and confirms are on their way.
    if (cut % 3 === 0) proxy.cut('rst');
    else if (cut % 3 === 1) {
      await proxy.once({ method: 'basic.ack', direction: 'client', nth: 20 }, 'cut-fin').happened;
    } else {
      proxy.hold('client');
      await after(100);
      proxy.cut('rst');
      proxy.release();
    }
  }
  await workload.settled();
  await workload.handled();
  const left = () => broker.messageCount(classicQueue.name, vhost.name);
  await until('all is acknowledged', async () => (await left()) === 0, 30_000);

  const count = (method: 'basic.ack' | 'basic.nack' | 'basic.reject') =>
    proxy.arrivals.filter((one) => one.direction === 'client' && one.method === method).length;
  workload.row(`wire, ${CUTS} cuts`);
  printRow('frames of the client', {
    acks: count('basic.ack'),
    nacks: count('basic.nack'),
    rejects: count('basic.reject'),
    connections: proxy.dials,
  });
  expect(proxy.forgotten).toBe(0);
  expect(count('basic.ack')).toBeGreaterThan(500);
  expect(count('basic.reject')).toBeGreaterThan(0);
  assertLegalAcks(proxy.arrivals);
  expectNothingLost(workload.ledger);
});
