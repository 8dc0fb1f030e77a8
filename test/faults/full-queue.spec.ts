import { expect, onTestFinished, test } from 'vitest';
import type { PublishError } from 'nestjs-failover';
import { Producer, Queue } from 'nestjs-failover';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { useConnection } from '../kit/fronts.js';
import { printRow } from '../kit/print-row.js';

const [broker] = useBrokers();

const healthy = new Queue('healthy', { arguments: { 'x-max-length': 1 } });
const full = new Queue('full', {
  arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' },
});

const WINDOW = 1_500;
const ROUNDS = 4;
const IN_FLIGHT = 50;

test('a queue that is full and rejects ends its publishes as nacked, and slows no other queue of its producer', async () => {
  const vhost = await useVhost(broker);
  const connection = useConnection({ urls: vhost.urls });
  await connection.declare(healthy, full);
  const producer = new Producer(connection, { nackRetries: 3, nackBackoffStart: 50 });
  onTestFinished(() => producer.close());
  const outcomes = new Map<string, number>();
  const toFull: Promise<unknown>[] = [];
  const publishToFull = (n: number): void => {
    const publish = producer.publish(n, { routingKey: full.name }).then(
      () => 'confirmed',
      ({ outcome }: PublishError) => outcome,
    );
    toFull.push(publish.then((outcome) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)));
  };
  /** Confirms a second of the healthy queue, always with so many in flight, and the longest wait for one. */
  const run = async (beside: boolean): Promise<{ rate: number; slowest: number }> => {
    const begun = performance.now();
    let confirmed = 0;
    let slowest = 0;
    const timer = setInterval(() => {
      if (beside) publishToFull(confirmed);
    }, 20);
    const one = async (): Promise<void> => {
      while (performance.now() - begun < WINDOW) {
        const sent = performance.now();
        await producer.publish('x', { routingKey: healthy.name });
        slowest = Math.max(slowest, performance.now() - sent);
        confirmed += 1;
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, one));
    clearInterval(timer);
    const took = performance.now() - begun;
    // The next window begins without what this one left.
    await Promise.all(toFull);
    return { rate: (confirmed / took) * 1_000, slowest };
  };
  await producer.publish('the only one', { routingKey: full.name });
  await run(false);
  const without: { rate: number; slowest: number }[] = [];
  const beside: { rate: number; slowest: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    without.push(await run(false));
    beside.push(await run(true));
  }
  const median = (runs: readonly { rate: number }[]): number => {
    const rates = runs.map(({ rate }) => rate).toSorted((a, b) => a - b);
    return ((rates[1] ?? 0) + (rates[2] ?? 0)) / 2;
  };
  const slowest = (runs: readonly { slowest: number }[]): number =>
    Math.round(Math.max(...runs.map((one) => one.slowest)));
  const ratio = median(beside) / median(without);
  printRow('a full queue beside a healthy one', {
    'to the full one': toFull.length,
    outcomes: [...outcomes].map(([outcome, count]) => `${outcome} ${count}`).join('+'),
    'confirms/s of the healthy one without': Math.round(median(without)),
    'and beside': Math.round(median(beside)),
    ratio: ratio.toFixed(2),
    'slowest ms without': slowest(without),
    'slowest ms beside': slowest(beside),
  });

  expect(toFull.length).toBeGreaterThan(100);
  expect([...outcomes]).toEqual([['nacked', toFull.length]]);
  expect(ratio).toBeGreaterThan(0.8);
});
