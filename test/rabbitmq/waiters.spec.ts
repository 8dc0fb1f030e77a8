import { expect, test } from 'vitest';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { useConnection, useFronts } from '../kit/fronts.js';
import { until } from '../kit/rabbitmq/index.js';

const brokers = useBrokers();

test('connects once for a hundred who wait; the one that aborts is told at once, the others get the connection', async () => {
  const vhost = await useVhost(brokers);
  const [slow, other] = await useFronts(brokers, vhost);
  slow.proxy.hold('broker');
  const connection = useConnection({ urls: [slow.url, other.url] });
  const impatient = new AbortController();
  const aborted = connection.ensureConnection({ signal: impatient.signal });
  const channel = connection.channel({ signal: impatient.signal });
  const waiting = Array.from({ length: 100 }, () => connection.ensureConnection());
  await slow.proxy.arrived({ method: 'connection.start' });
  const reason = new Error('the request was cancelled');

  impatient.abort(reason);

  await expect(aborted).rejects.toBe(reason);
  await expect(channel).rejects.toBe(reason);
  expect(connection.state.status).toBe('connecting');
  slow.proxy.release();
  expect(await Promise.all(waiting)).toEqual(waiting.map(() => connection));
  expect([slow.proxy.dials, other.proxy.dials]).toEqual([1, 0]);
});

test('stops dialling when the only one who waited has lost patience, and starts again for the next', async () => {
  const vhost = await useVhost(brokers);
  const [slow] = await useFronts(brokers, vhost);
  slow.proxy.mute();
  const connection = useConnection({ urls: slow.url });

  await expect(connection.ensureConnection({ timeout: 100 })).rejects.toMatchObject({
    name: 'OperationalError',
  });

  expect(connection.state.status).toBe('idle');
  slow.proxy.forward();
  await connection.ensureConnection();
  expect(slow.proxy.dials).toBe(2);
});

test('gives each who waits its own measure: one bears no further round, one bears all', async () => {
  const vhost = await useVhost(brokers);
  const [one, two] = await useFronts(brokers, vhost);
  one.proxy.acceptAndDrop();
  two.proxy.acceptAndDrop();
  const connection = useConnection({ urls: [one.url, two.url] });
  const patient = connection.ensureConnection();

  await expect(connection.ensureConnection({ maxRetries: 0 })).rejects.toMatchObject({
    attempts: 2,
    failures: [{}, {}],
  });
  two.proxy.forward();

  await patient;
  expect(connection.asUri()).toContain(`:${two.proxy.port}/`);
});

test('tells every waiter that the connection was closed, and no broker is dialled after that', async () => {
  const vhost = await useVhost(brokers);
  const [mute] = await useFronts(brokers, vhost);
  mute.proxy.mute();
  const connection = useConnection({ urls: mute.url });
  const waiting = Array.from({ length: 10 }, () => connection.channel());
  const outcomes = Promise.allSettled(waiting);
  await until('a dial', () => mute.proxy.dials === 1, 10_000);

  await connection.close();

  for (const outcome of await outcomes) {
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: { name: 'ConnectionClosedError' },
    });
  }
  await expect(connection.ensureConnection()).rejects.toMatchObject({
    name: 'ConnectionClosedError',
  });
  expect(mute.proxy.dials).toBe(1);
});
