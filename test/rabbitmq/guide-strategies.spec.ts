import { expect, onTestFinished, test } from 'vitest';
import type { FailoverStrategy } from 'nestjs-failover';
import { Broker, FailoverConnection } from 'nestjs-failover';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { next, recorded, told, useConnection, useFront } from '../kit/fronts.js';
import type { Front } from '../kit/fronts.js';

const [first, second] = useBrokers();

/** Three brokers that accept and drop, and behind them, last in the list, a healthy one. */
async function threeBadOneGood(): Promise<{ bad: Front[]; good: Front; urls: string[] }> {
  const vhost = await useVhost([first, second]);
  const bad: Front[] = [];
  for (let i = 0; i < 3; i += 1) bad.push(await useFront(first, vhost));
  for (const { proxy } of bad) proxy.acceptAndDrop();
  const good = await useFront(second, vhost);
  return { bad, good, urls: [...bad, good].map((front) => front.url) };
}

const endlessly = function* reversed(brokers: readonly Broker[]): Generator<Broker> {
  for (;;) yield* brokers.toReversed();
};

test.for<FailoverStrategy<Broker>>(['round-robin', 'shuffle', 'priority', endlessly])(
  'finds the one healthy broker of four without a wait and without dialling a dead one twice (%s)',
  async (failoverStrategy) => {
    const { bad, good, urls } = await threeBadOneGood();
    const connection = useConnection({
      urls,
      failoverStrategy,
      intervalStart: 3_600_000,
      intervalMax: 3_600_000,
    });

    await connection.connect();

    expect(good.proxy.dials).toBe(1);
    for (const { proxy } of bad) expect(proxy.dials).toBeLessThanOrEqual(1);
  },
);

test('goes round: after the loss of the second broker of two comes the first', async () => {
  const vhost = await useVhost([first, second]);
  const connection = useConnection({ urls: vhost.urls, failoverStrategy: 'round-robin' });
  const events = recorded(connection);
  await connection.connect();
  for (const node of [first, second]) {
    const back = next(connection, 'connected');
    await node.closeConnections('maintenance');
    await back;
  }

  expect(told(events).filter((line) => line.startsWith('connected'))).toEqual([
    `connected ${first.port}`,
    `connected ${second.port}`,
    `connected ${first.port}`,
  ]);
});

test('prefers the first of the list with strategy "priority": from the third broker it goes back to the first', async () => {
  const vhost = await useVhost([first, second]);
  const fronts = [first, second, second].map((node) => useFront(node, vhost));
  const [one, two, three] = (await Promise.all(fronts)) as [Front, Front, Front];
  const connection = useConnection({
    urls: [one.url, two.url, three.url],
    failoverStrategy: 'priority',
    livedAfter: 0,
  });
  one.proxy.refuse();
  two.proxy.refuse();
  await connection.connect();
  expect(connection.asUri()).toContain(`:${three.proxy.port}/`);
  await one.proxy.listen();
  const back = next(connection, 'connected');

  three.proxy.cut('rst');

  expect((await back).broker).toContain(`:${one.proxy.port}/`);
});

test('refuses a strategy that does not exist, and names those that do', () => {
  const make = () => {
    const connection = new FailoverConnection({
      urls: 'amqp://broker1.example.com;amqp://broker2.example.com',
      failoverStrategy: 'random' as 'shuffle',
    });
    onTestFinished(() => connection.close());
  };
  expect(make).toThrow(/failoverStrategy.*"random".*'round-robin'.*'shuffle'.*'priority'/u);
});
