import { expect, test } from 'vitest';
import type { FailoverLogger } from 'nestjs-failover';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { ChannelHolder } from '../kit/channel-holder.js';
import { next, useConnection, useFronts } from '../kit/fronts.js';

const brokers = useBrokers();

async function twoFronts(logger: FailoverLogger | false = false) {
  const vhost = await useVhost(brokers);
  const fronts = await useFronts(brokers, vhost);
  const connection = useConnection({ urls: fronts.map((front) => front.url), logger });
  await connection.connect();
  return { vhost, connection, one: fronts[0].proxy, two: fronts[1].proxy };
}

const looksLikeASocket = () =>
  Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104, syscall: 'read' });

test("rethrows the caller's own ECONNRESET untouched after one run, though the connection is lost meanwhile", async () => {
  const { connection, one } = await twoFronts();
  const own = looksLikeASocket();
  let runs = 0;

  const ensured = connection.ensure(null, async () => {
    runs += 1;
    const lost = next(connection, 'lost');
    one.cut('rst');
    await lost;
    throw own;
  });

  await expect(ensured()).rejects.toBe(own);
  expect(runs).toBe(1);
});

test("rethrows the fault of somebody else's connection untouched: another of ours would not mend it", async () => {
  const { connection, vhost } = await twoFronts();
  const other = useConnection({ urls: vhost.urls });
  const channel = await other.channel();
  await other.close();
  let runs = 0;

  const ensured = connection.ensure(null, async () => {
    runs += 1;
    await channel.assertQueue('orders');
  });

  await expect(ensured()).rejects.toMatchObject({ name: 'AmqpError' });
  expect(runs).toBe(1);
});

test('runs again for an error of the caller that was caused by the loss', async () => {
  const { connection, one, two } = await twoFronts();
  one.once({ method: 'queue.declare' }, 'cut-rst');
  const ports: number[] = [];

  await connection.ensure(null, async () => {
    const channel = await connection.defaultChannel();
    ports.push(channel.connection.broker.port);
    await channel.assertQueue('orders').catch((cause: unknown) => {
      throw new Error('the order was not placed', { cause });
    });
  })();

  expect(ports).toEqual([one.port, two.port]);
});

test.for(['throws', 'rejects'])('goes on when an errback %s, and logs it', async (how) => {
  const logged: unknown[] = [];
  const note = (...line: unknown[]) => logged.push(...line);
  const { connection, one } = await twoFronts({ log: note, warn: note, error: note });
  const holder = new ChannelHolder(await connection.channel());
  one.once({ method: 'queue.declare' }, 'cut-rst');
  const broken = new Error('the errback is broken');

  await connection.ensure(holder, holder.declare, {
    errback: () => {
      if (how === 'throws') throw broken;
      return Promise.reject(broken);
    },
  })('orders');

  expect(holder.runs).toBe(2);
  expect(logged).toContain(broken);
});
