import { expect, test } from 'vitest';
import type { PublishOptions } from 'nestjs-failover';
import { Exchange, Queue } from 'nestjs-failover';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { useConnection, useFront } from '../kit/fronts.js';
import { assertLegalAcks } from '../kit/proxy/index.js';
import { printRow } from '../kit/print-row.js';
import { until } from '../kit/rabbitmq/index.js';
import { expectOneConsumer, useConsumer } from './consumer.setting.js';
import { counted, usePublishing, usePublishingOn } from './publish.setting.js';

const [broker] = useBrokers();

test.each<[string, PublishOptions, number]>([
  ['to an exchange that is missing', { exchange: 'missing' }, 404],
  [
    'to an exchange that takes none from clients',
    { exchange: new Exchange('inner', { internal: true }) },
    403,
  ],
  ['in the name of another user', { routingKey: 'q', userId: 'somebody' }, 406],
])(
  'a publish %s is refused amid 500 others, which are all confirmed and keep their order',
  async (_, offence, code) => {
    const { publish, drain } = await usePublishing(broker);
    const declare = [new Queue('q')];
    await publish(-1, { routingKey: 'q', declare });
    const endings = Array.from({ length: 501 }, (_one, n) =>
      publish(n, n === 250 ? { ...offence } : { routingKey: 'q' }),
    );
    const all = await Promise.all(endings);

    expect(counted(all)).toEqual({ confirmed: 500, refused: 1 });
    expect(all[250]?.error).toMatchObject({ outcome: 'refused', code });
    const firsts = [...new Set((await drain('q')) as number[])];
    expect(firsts).toEqual(
      [-1, ...Array.from({ length: 501 }, (_one, n) => n)].filter((n) => n !== 250),
    );
  },
);

test.each<[string, PublishOptions, number]>([
  ['to an exchange that is missing', { exchange: 'missing' }, 404],
  ['in the name of another user', { routingKey: 'q', userId: 'somebody' }, 406],
])(
  'a publish %s is refused amid 500 others in flight, and disturbs no consumer of the same connection',
  async (name, offence, code) => {
    const q = new Queue('q');
    const vhost = await useVhost(broker);
    const { proxy, url } = await useFront(broker, vhost);
    const connection = useConnection({ urls: url });
    const { publish } = usePublishingOn(connection);
    const handled = new Set<unknown>();
    let deliveries = 0;
    const consumer = useConsumer(connection, {
      queues: [q],
      prefetchCount: 100,
      handle: (body) => {
        deliveries += 1;
        handled.add(body);
      },
    });
    await consumer.start();
    const { since } = consumer.state as { since: number };
    await publish(-1, { routingKey: 'q' });
    const endings = await Promise.all(
      Array.from({ length: 501 }, (_one, n) =>
        publish(n, n === 250 ? { ...offence } : { routingKey: 'q' }),
      ),
    );
    await until('all are handled', () => handled.size === 501, 20_000);
    const registrations = proxy.count({ direction: 'client', method: 'basic.consume' });
    printRow(`one publish ${name} amid 500`, {
      ...counted(endings),
      code: (endings[250]?.error as { code?: number } | undefined)?.code,
      handled: handled.size,
      'delivered again': deliveries - handled.size,
      'channels closed by the broker': proxy.count({
        direction: 'broker',
        method: 'channel.close',
      }),
      'registrations of the consumer': registrations,
      dials: proxy.dials,
    });

    expect(counted(endings)).toEqual({ confirmed: 500, refused: 1 });
    expect(endings[250]?.error).toMatchObject({ outcome: 'refused', code });
    expect(handled.has(250)).toBe(false);
    expect(registrations).toBe(1);
    expect(consumer.state).toMatchObject({ status: 'consuming', since });
    expect(proxy.dials).toBe(1);
    await expectOneConsumer(broker, q, vhost.name);
    assertLegalAcks(proxy.arrivals);
  },
);

test('20 publishes to an exchange that is missing are refused amid 200 others', async () => {
  const { publish } = await usePublishing(broker);
  const declare = [new Queue('q')];
  const endings = Array.from({ length: 220 }, (_, n) =>
    publish(n, n % 11 === 5 ? { exchange: 'missing' } : { routingKey: 'q', declare }),
  );

  expect(counted(await Promise.all(endings))).toEqual({ confirmed: 200, refused: 20 });
});

test('a publish that no queue takes is returned, and the others on its channel are confirmed', async () => {
  const { publish, producer } = await usePublishing(broker);
  const declare = [new Queue('q')];
  const endings = await Promise.all(
    Array.from({ length: 300 }, (_, n) =>
      publish(n, { messageId: 'same', routingKey: n % 3 === 0 ? 'nowhere' : 'q', declare }),
    ),
  );

  expect(endings.map(({ outcome }) => outcome)).toEqual(
    endings.map((_, n) => (n % 3 === 0 ? 'returned' : 'confirmed')),
  );
  expect(endings[0]?.error).toMatchObject({ name: 'UnroutableError', code: 312 });
  await expect(
    producer.publish(1, { routingKey: 'nowhere', mandatory: false }),
  ).resolves.toMatchObject({ attempts: 1 });
});
