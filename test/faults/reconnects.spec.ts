import { EventEmitter } from 'node:events';
import { queryObjects } from 'node:v8';
import { expect, onTestFinished, test } from 'vitest';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { CountingClock } from '../kit/dial.js';
import { useConnection, useFront } from '../kit/fronts.js';
import { leftovers } from '../kit/leftovers.js';
import { until } from '../kit/rabbitmq/index.js';
import { printRow } from '../kit/print-row.js';
import { classicQueue, useWorkload } from './workload.js';

const [broker] = useBrokers();

const RECONNECTS = 200;
/** Until then everything has been loaded and opened once. */
const WARM = 10;

/** What lives, garbage collected first: a listener that is left behind keeps itself, its emitter or its signal. */
const alive = () => ({
  functions: queryObjects(Function, { format: 'count' }),
  emitters: queryObjects(EventEmitter, { format: 'count' }),
  signals: queryObjects(AbortSignal, { format: 'count' }),
});

test(`after ${RECONNECTS} reconnects sockets, timers, listeners and channels are as before, and there is one consumer`, async () => {
  // Node warns at its first use that it is experimental, and warnings count as leftovers below.
  alive();
  const vhost = await useVhost(broker);
  const { proxy, url } = await useFront(broker, vhost);
  const clock = new CountingClock();
  const publishing = useConnection({ urls: url }, { clock });
  const consuming = publishing.clone();
  onTestFinished(() => consuming.close());
  const workload = useWorkload({
    publishers: [publishing],
    consumers: [consuming],
    queue: classicQueue,
    rate: 200,
  });
  const [consumer] = workload.consumers;
  await workload.start();
  workload.stopPublishing();
  const channels = () => broker.eval('length(rabbit_channel:list_local())').then(Number);
  const quiet = () =>
    until(
      'nothing is under way',
      () =>
        consumer?.state.status === 'consuming' &&
        publishing.state.status === 'connected' &&
        workload.ledger.pending === 0 &&
        workload.ledger.missing().length === 0,
      20_000,
    );
  const reconnect = async (times: number): Promise<void> => {
    for (let turn = 0; turn < times; turn += 1) {
      const lost = () => consumer?.state.status !== 'consuming';
      workload.publishSome(5);
      proxy.cut(turn % 2 === 0 ? 'rst' : 'fin');
      await until('the loss is known', lost, 10_000);
      // Past the restart limit, which would make this take a second a turn.
      void consumer?.pause();
      consumer?.resume();
      await quiet();
    }
  };
  await reconnect(WARM);
  const left = leftovers(clock);
  const before = { channels: await channels(), timers: clock.pending, links: proxy.connections };
  const aliveBefore = alive();

  await reconnect(RECONNECTS);

  const now = { channels: await channels(), timers: clock.pending, links: proxy.connections };
  const aliveNow = alive();
  workload.row(`${RECONNECTS} reconnects`);
  printRow('before and after', {
    channels: `${before.channels}->${now.channels}`,
    timers: `${before.timers}->${now.timers}`,
    sockets: `${before.links}->${now.links}`,
    functions: `${aliveBefore.functions}->${aliveNow.functions}`,
    emitters: `${aliveBefore.emitters}->${aliveNow.emitters}`,
    signals: `${aliveBefore.signals}->${aliveNow.signals}`,
    dials: proxy.dials,
    consumers: (await broker.consumerCount(classicQueue.name, vhost.name)) ?? 0,
  });
  expect(now.links).toBe(2);
  expect(now.channels).toBe(before.channels);
  // One that is left behind with each reconnect would be 200 of them.
  expect(aliveNow.functions - aliveBefore.functions).toBeLessThan(RECONNECTS / 2);
  expect(aliveNow.emitters - aliveBefore.emitters).toBeLessThan(RECONNECTS / 10);
  expect(aliveNow.signals - aliveBefore.signals).toBeLessThan(RECONNECTS / 10);
  const { 'timers of ours': ours = 0, ...others } = await left();
  expect(others).toEqual({});
  expect(ours).toBeLessThanOrEqual(before.timers);
  expect(await broker.consumerCount(classicQueue.name, vhost.name)).toBe(1);
  expect(workload.ledger.firstError).toBeUndefined();
});
