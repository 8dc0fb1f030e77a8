import { expect, test } from 'vitest';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { recorded, told, useConnection, useFronts } from '../kit/fronts.js';
import { CountingClock } from '../kit/dial.js';
import { leftovers } from '../kit/leftovers.js';
import type { AmqpProxy } from '../kit/proxy/index.js';

const brokers = useBrokers();

const HOUR = 3_600_000;

async function badAndGood(
  spoil: (proxy: AmqpProxy) => void,
  connectTimeout = 5_000,
  clock = new CountingClock(),
) {
  const vhost = await useVhost(brokers);
  const [bad, good] = await useFronts(brokers, vhost);
  spoil(bad.proxy);
  const connection = useConnection(
    {
      urls: [bad.url, good.url],
      connectTimeout,
      intervalStart: HOUR,
      intervalMax: HOUR,
    },
    { clock },
  );
  return { bad: bad.proxy, good: good.proxy, connection, events: recorded(connection) };
}

test.for([
  ['resets the connection at once', (proxy: AmqpProxy) => proxy.acceptAndDrop('at-once', 'rst')],
  ['ends the connection at once', (proxy: AmqpProxy) => proxy.acceptAndDrop('at-once', 'fin')],
  ['drops us right after open-ok', (proxy: AmqpProxy) => proxy.acceptAndDrop('after-open-ok')],
  ['never answers', (proxy: AmqpProxy) => proxy.mute()],
  ['drips its handshake', (proxy: AmqpProxy) => proxy.drip(1, 100)],
] as const)('dials the next broker without a wait when the first one %s', async ([, spoil]) => {
  const clock = new CountingClock();
  const left = leftovers(clock);
  const { bad, good, connection, events } = await badAndGood(spoil, 1_500, clock);

  await connection.connect();

  expect([bad.dials, good.dials]).toEqual([1, 1]);
  expect(told(events)).toEqual([
    `connecting ${bad.port}`,
    `failed ${bad.port}`,
    `connecting ${good.port}`,
    `connected ${good.port}`,
  ]);
  expect(events[1]).toMatchObject({ interval: 0 });
  await connection.close();
  await Promise.all([bad.close(), good.close()]);
  expect(await left()).toEqual({});
});

test('backs off from a broker that serves the handshake and the first channel, and then drops us', async () => {
  const vhost = await useVhost(brokers);
  const [bad] = await useFronts(brokers, vhost);
  const connection = useConnection({
    urls: bad.url,
    intervalStart: 50,
    intervalStep: 50,
    jitter: 0,
  });
  const events = recorded(connection);
  const intervals = () => events.flatMap((event) => (event.type === 'lost' ? event.interval : []));
  for (let i = 1; i <= 3; i += 1) {
    bad.proxy.once({ method: 'channel.open-ok', connection: i }, 'cut-after-fin');
  }
  await connection.connect();

  await bad.proxy.seen({ method: 'channel.open-ok', connection: 4 });
  await connection.channel();

  expect(intervals()).toEqual([50, 100, 150]);
});

test('tries a healthy broker before it waits for one that drops us again and again', async () => {
  const { bad, good, connection } = await badAndGood((proxy) => {
    proxy.once({ method: 'channel.open-ok' }, 'cut-after-rst');
  });

  await connection.connect();
  // Whether the first one was ever called connected or not: the second is reached within the hour.
  await good.seen({ method: 'channel.open-ok' });

  expect([bad.dials, good.dials]).toEqual([1, 1]);
});
