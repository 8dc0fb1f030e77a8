import { expect, test } from 'vitest';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { ChannelHolder } from '../kit/channel-holder.js';
import { useConnection, useFront } from '../kit/fronts.js';

const [first] = useBrokers();

async function oneFront() {
  const vhost = await useVhost(first);
  const { proxy, url } = await useFront(first, vhost);
  const connection = useConnection({ urls: url });
  const holder = new ChannelHolder(await connection.channel());
  return { vhost, proxy, url, connection, holder };
}

test('runs again on a new channel of the same connection when a queue is locked by another one (405)', async () => {
  const { vhost, proxy, connection, holder } = await oneFront();
  const other = useConnection({ urls: vhost.urls });
  await (await other.channel()).assertQueue('exclusive', { exclusive: true });
  const told: number[] = [];

  await connection.ensure(holder, holder.declare, {
    errback: ({ attempt }) => told.push(attempt),
    onRevive: () => other.close(),
  })('exclusive');

  expect(holder.runs).toBe(2);
  expect(holder.revivals).toHaveLength(1);
  expect(told).toEqual([1]);
  expect(proxy.dials).toBe(1);
});

test('gives up with code 405 in the cause when the queue stays locked', async () => {
  const { vhost, connection, holder } = await oneFront();
  const other = useConnection({ urls: vhost.urls });
  await (await other.channel()).assertQueue('exclusive', { exclusive: true });

  const declaring = connection.ensure(holder, holder.declare, { maxRetries: 2, intervalStep: 1 });

  await expect(declaring('exclusive')).rejects.toMatchObject({
    name: 'OperationalError',
    attempts: 3,
    cause: { name: 'AmqpError', code: 405 },
  });
});

test('rethrows the check of a missing queue (404) after one run: no broker would say otherwise', async () => {
  const { connection, holder } = await oneFront();

  const checking = connection.ensure(holder, holder.check)('missing');

  await expect(checking).rejects.toMatchObject({ name: 'AmqpError', code: 404 });
  expect(holder.runs).toBe(1);
  expect(holder.revivals).toEqual([]);
});

test('gives a holder whose channel a 404 has closed a new one at the next call', async () => {
  const { proxy, connection, holder } = await oneFront();
  await expect(connection.ensure(holder, holder.check)('missing')).rejects.toMatchObject({
    code: 404,
  });

  expect(await connection.ensure(holder, holder.declare)('orders')).toBe('orders');

  expect(holder.revivals).toHaveLength(1);
  expect(proxy.dials).toBe(1);
});

test('disturbs nobody else with a channel that autoretry has closed by a 404', async () => {
  const { connection } = await oneFront();
  const bystander = await connection.channel();
  const shared = await connection.defaultChannel();

  const checking = connection.autoretry((channel) => channel.checkQueue('missing'))();

  await expect(checking).rejects.toMatchObject({ code: 404 });
  expect([bystander.loss, shared.loss]).toEqual([undefined, undefined]);
});
