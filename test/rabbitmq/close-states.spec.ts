import { expect, test } from 'vitest';
import { FailoverConnection, Producer, Queue } from 'nestjs-failover';
import type { FailoverConnectionOptions } from 'nestjs-failover';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { CountingClock, rejection } from '../kit/dial.js';
import { next, useFronts } from '../kit/fronts.js';
import { leftovers } from '../kit/leftovers.js';
import { until } from '../kit/rabbitmq/index.js';
import { freePorts } from '../kit/rabbitmq/ports.js';

const brokers = useBrokers();
const [first] = brokers;

const CLOSE_TIMEOUT = 1_000;

const silent = (options: FailoverConnectionOptions, clock: CountingClock): FailoverConnection =>
  new FailoverConnection({ logger: false, closeTimeout: CLOSE_TIMEOUT, ...options }, { clock });

/** Closes twice at once and once more, and expects that it keeps its deadline and leaves nothing. */
async function closesCleanly(
  connection: FailoverConnection,
  left: () => Promise<Record<string, number>>,
  endKit: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  const begun = performance.now();
  await Promise.all([connection.close(), connection.close()]);
  const took = performance.now() - begun;
  await connection.close();
  // Before the kit ends its side: nobody else has ended what we had under way.
  expect((await left())['timers of ours']).toBeUndefined();
  await endKit();
  expect(took).toBeLessThan(CLOSE_TIMEOUT + 1_000);
  expect(connection.state.status).toBe('closed');
  expect(await left()).toEqual({});
}

test('closes while idle, and can never be used again', async () => {
  const clock = new CountingClock();
  const left = leftovers(clock);
  const connection = silent({ urls: 'amqp://127.0.0.1' }, clock);

  await closesCleanly(connection, left);

  await expect(connection.channel()).rejects.toMatchObject({ name: 'ConnectionClosedError' });
});

test('closes while it dials a broker that never answers', async () => {
  const vhost = await useVhost(brokers);
  const [mute] = await useFronts(brokers, vhost);
  mute.proxy.mute();
  const clock = new CountingClock();
  const left = leftovers(clock);
  const connection = silent({ urls: mute.url }, clock);
  const waiting = connection.connect();
  await until('a dial', () => mute.proxy.dials > 0, 10_000);

  const failure = rejection(waiting);
  await closesCleanly(connection, left, () => mute.proxy.close());
  expect(await failure).toMatchObject({ name: 'ConnectionClosedError' });
});

test('closes while its password function and its list of brokers are never given', async () => {
  const clock = new CountingClock();
  const left = leftovers(clock);
  const never = () => new Promise<never>(() => undefined);
  for (const urls of [never, [{ hostname: '127.0.0.1', port: first.port, password: never }]]) {
    const connection = silent({ urls }, clock);
    const waiting = connection.connect();
    const failure = rejection(waiting);
    await closesCleanly(connection, left);
    expect(await failure).toMatchObject({ name: 'ConnectionClosedError' });
  }
});

test('closes while it waits after a failed round', async () => {
  const [dead = 0] = await freePorts(1);
  const clock = new CountingClock();
  const left = leftovers(clock);
  const connection = silent({ urls: `amqp://127.0.0.1:${dead}`, intervalStart: 60_000 }, clock);
  const waiting = connection.ensureConnection();
  const failure = rejection(waiting);
  await until('the wait', () => connection.state.status === 'waiting', 10_000);

  await closesCleanly(connection, left);
  expect(await failure).toMatchObject({ name: 'ConnectionClosedError' });
});

test('closes while it is refused', async () => {
  const vhost = await useVhost(first);
  const user = `user-${vhost.name}`;
  await first.addUser(user, 'one');
  await first.setPermissions(user, vhost.name);
  const clock = new CountingClock();
  const left = leftovers(clock);
  const connection = silent({ urls: vhost.url(first, { user, password: 'one' }) }, clock);
  await connection.connect();
  const refused = next(connection, 'refused');
  await first.deleteUser(user);
  await first.closeConnections('the user is gone');
  expect((await refused).failures).toMatchObject([{ error: { reason: 'refused' } }]);

  await closesCleanly(connection, left);
});

test('closes with channels and a producer on them open, and the broker has no connection of it left', async () => {
  const vhost = await useVhost(first);
  const clock = new CountingClock();
  const left = leftovers(clock);
  const connection = silent({ urls: vhost.urls }, clock);
  const channels = await Promise.all([
    connection.channel(),
    connection.channel({ confirm: true }),
    connection.defaultChannel(),
  ]);
  const producer = new Producer(connection);
  await producer.publish('kept', { routingKey: 'orders', declare: [new Queue('orders')] });

  await closesCleanly(connection, left);

  expect(channels.map((channel) => channel.loss?.name)).toEqual(channels.map(() => 'AmqpError'));
  await until('no connection', async () => (await first.connectionCount(vhost.name)) === 0, 10_000);
  await producer.close();
  expect(await left()).toEqual({});
});

test('closes while an operation is running under ensure, which is told', async () => {
  const vhost = await useVhost(brokers);
  const [held] = await useFronts(brokers, vhost);
  const clock = new CountingClock();
  const left = leftovers(clock);
  const connection = silent({ urls: held.url }, clock);
  await connection.connect();
  const hold = held.proxy.once({ method: 'queue.declare-ok' }, 'hold');
  const running = connection.autoretry((channel) => channel.assertQueue('orders'))();
  await hold.happened;

  const failure = rejection(running);
  await closesCleanly(connection, left, () => held.proxy.close());
  expect(await failure).toMatchObject({ name: 'ConnectionClosedError' });
});
