import { expect, test } from 'vitest';
import type { EnsureOptions, ErrbackEvent } from 'nestjs-failover';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { ChannelHolder } from '../kit/channel-holder.js';
import { next, useConnection, useFronts } from '../kit/fronts.js';

const brokers = useBrokers();
const [, second] = brokers;

/** An object that holds a channel of the first broker, and its `declare` under `ensure`. */
async function ensuredDeclare(options: EnsureOptions = {}) {
  const vhost = await useVhost(brokers);
  const fronts = await useFronts(brokers, vhost);
  const connection = useConnection({ urls: fronts.map((front) => front.url) });
  const holder = new ChannelHolder(await connection.channel());
  const told: ErrbackEvent[] = [];
  const declare = connection.ensure(holder, holder.declare, {
    errback: (event) => told.push(event),
    intervalStep: 10,
    ...options,
  });
  const [one, two] = fronts;
  return { vhost, one: one.proxy, two: two.proxy, connection, holder, declare, told };
}

test('runs again with a channel of the next broker when the connection was cut before the operation', async () => {
  const { vhost, one, two, holder, declare } = await ensuredDeclare();
  one.cut('rst');

  expect(await declare('orders')).toBe('orders');

  expect(holder.port).toBe(two.port);
  expect(await second.messageCount('orders', vhost.name)).toBe(0);
});

test.for([
  ['with its request', 'queue.declare', 'cut-rst'],
  ['with its request half closed', 'queue.declare', 'cut-fin'],
  ['with the answer, when the broker has done it already', 'queue.declare-ok', 'cut-rst'],
  ['right after its request', 'queue.declare', 'cut-after-rst'],
] as const)(
  'runs again on the next broker when the connection is cut %s, and is told of it once',
  async ([, method, action]) => {
    const { vhost, one, two, holder, declare, told } = await ensuredDeclare();
    const cut = one.once({ method }, action);

    expect(await declare('orders')).toBe('orders');

    await cut.happened;
    expect(holder.runs).toBe(2);
    expect(holder.revivals.map((channel) => channel.connection.broker.port)).toEqual([two.port]);
    expect(await second.messageCount('orders', vhost.name)).toBe(0);
    expect(told).toMatchObject([{ error: { name: 'AmqpError' }, attempt: 1 }]);
    expect(new URL(told[0]?.broker ?? '').port).toBe(String(one.port));
  },
);

test('does not run again when the connection is cut after the operation has succeeded', async () => {
  const { one, holder, declare, connection } = await ensuredDeclare();
  const lost = new Promise((resolve) => {
    connection.on('lost', resolve);
  });
  one.once({ method: 'queue.declare-ok' }, 'cut-after-fin');

  expect(await declare('orders')).toBe('orders');
  await lost;

  expect(holder.runs).toBe(1);
  expect(holder.revivals).toEqual([]);
});

test('survives two losses in a row, one on each broker', async () => {
  const { one, two, holder, declare, told } = await ensuredDeclare({ maxRetries: 2 });
  one.once({ method: 'queue.declare' }, 'cut-rst');
  two.once({ method: 'queue.declare' }, 'cut-rst');

  expect(await declare('orders')).toBe('orders');

  expect(holder.runs).toBe(3);
  expect(holder.port).toBe(one.port);
  expect(told.map(({ broker }) => Number(new URL(broker).port))).toEqual([one.port, two.port]);
});

test('gives up when it was lost more often than maxRetries, and says on which brokers', async () => {
  const { one, two, holder, declare } = await ensuredDeclare({ maxRetries: 1 });
  one.once({ method: 'queue.declare' }, 'cut-rst');
  two.once({ method: 'queue.declare' }, 'cut-rst');

  await expect(declare('orders')).rejects.toMatchObject({
    name: 'OperationalError',
    attempts: 2,
    failures: [{ error: { name: 'AmqpError' } }, { error: { name: 'AmqpError' } }],
    cause: { name: 'AmqpError' },
  });
  expect(holder.runs).toBe(2);
});

test('ends with its timeout while no broker can be reached, and leaves the operation alone after that', async () => {
  const { one, two, connection, holder, declare } = await ensuredDeclare({ timeout: 500 });
  one.refuse();
  two.refuse();
  one.cut('rst');

  await expect(declare('orders')).rejects.toMatchObject({ name: 'OperationalError' });

  const { runs } = holder;
  const back = next(connection, 'connected');
  await one.listen();
  await two.listen();
  await back;
  expect(holder.runs).toBe(runs);
});
