import { expect, test } from 'vitest';
import type { Channel } from 'nestjs-failover';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { ChannelHolder } from '../kit/channel-holder.js';
import { useConnection, useFronts } from '../kit/fronts.js';

const brokers = useBrokers();

/** Needs the broker to be revived: it sets a prefetch. */
class BusyHolder extends ChannelHolder {
  override async revive(channel: Channel): Promise<void> {
    await channel.prefetch(7);
    super.revive(channel);
  }
}

async function twoFronts() {
  const vhost = await useVhost(brokers);
  const [{ proxy: one, url: first }, { proxy: two, url: second }] = await useFronts(brokers, vhost);
  const connection = useConnection({ urls: [first, second] });
  const holder = new BusyHolder(await connection.channel());
  one.once({ method: 'queue.declare' }, 'cut-rst');
  return { one, two, connection, holder };
}

test('revives anew on the next broker when the connection is cut during revive', async () => {
  const { one, two, connection, holder } = await twoFronts();
  two.once({ method: 'basic.qos' }, 'cut-rst');

  await connection.ensure(holder, holder.declare, { maxRetries: 2 })('orders');

  expect(holder.runs).toBe(2);
  expect(holder.revivals.map((channel) => channel.connection.broker.port)).toEqual([one.port]);
});

test('counts a loss during revive as one of its retries', async () => {
  const { two, connection, holder } = await twoFronts();
  two.once({ method: 'basic.qos' }, 'cut-rst');

  const declaring = connection.ensure(holder, holder.declare, { maxRetries: 1 })('orders');

  await expect(declaring).rejects.toMatchObject({ name: 'OperationalError', attempts: 2 });
  expect(holder.runs).toBe(1);
});

test('revives anew when the connection is cut during onRevive, which is called after revive', async () => {
  const { one, two, connection, holder } = await twoFronts();
  two.once({ method: 'exchange.declare' }, 'cut-fin');
  const order: string[] = [];
  const onRevive = async (channel: Channel) => {
    order.push(`${holder.revivals.length} revived`);
    await channel.assertExchange('events', 'fanout');
    order.push(String(channel.connection.broker.port));
  };

  await connection.ensure(holder, holder.declare, { maxRetries: 2, onRevive })('orders');

  expect(order).toEqual(['1 revived', '2 revived', String(one.port)]);
  expect(holder.runs).toBe(2);
});

test('goes past a broker that is lost while its first channel opens', async () => {
  const { one, two, connection, holder } = await twoFronts();
  two.once({ method: 'channel.open' }, 'cut-rst');

  await connection.ensure(holder, holder.declare, { maxRetries: 1 })('orders');

  expect(holder.port).toBe(one.port);
  expect(holder.revivals).toHaveLength(1);
});

test('rethrows what revive throws of its own, untouched, and does not run again', async () => {
  const { connection, holder } = await twoFronts();
  const own = new Error('no licence for a second channel');
  holder.revive = () => Promise.reject(own);

  await expect(connection.ensure(holder, holder.declare)('orders')).rejects.toBe(own);

  expect(holder.runs).toBe(1);
});
