import { describe, expect, it } from 'vitest';
import type { Broker } from '../../lib/amqp/broker.js';
import type { BrokerUrls } from '../../lib/failover/broker-source.js';
import { isConfigurationError, isOperationalError } from '../../lib/errors.js';
import { settled } from './fakes/fake-clock.js';
import { fakeSetting, watch } from './fakes/fake-setting.js';

const LIVED = 30_000;

function* backwards(brokers: readonly Broker[]) {
  for (;;) yield* brokers.toReversed();
}

describe('urls as a function', () => {
  it('is asked at first use, and again for each round', async () => {
    let asked = 0;
    const urls = async () => {
      asked += 1;
      return 'amqp://a;amqp://b';
    };
    const { connection, transport, clock } = fakeSetting({ urls });
    expect(asked).toBe(0);
    transport.brokers['a'] = 'dead';
    transport.brokers['b'] = 'dead';
    watch(connection.ensureConnection());
    await settled();
    expect([asked, transport.dials.length]).toEqual([1, 2]);
    await clock.advance(1);
    expect([asked, transport.dials.length]).toEqual([2, 4]);
  });

  it('may be synchronous', async () => {
    const { connection, transport } = fakeSetting({ urls: () => ['amqp://c'] });
    await connection.ensureConnection();
    expect(transport.dialled).toEqual(['c']);
  });

  it('may change the list: a broker that left it is dialled no longer', async () => {
    let list = 'amqp://a;amqp://b';
    const { connection, transport, clock } = fakeSetting({ urls: () => list });
    transport.brokers['a'] = 'dead';
    transport.brokers['b'] = 'dead';
    watch(connection.ensureConnection());
    await settled();
    list = 'amqp://b;amqp://c';
    transport.brokers['c'] = 'dead';
    await clock.advance(1);
    list = 'amqp://d';
    await clock.advance(2);
    expect(transport.dialled).toEqual(['a', 'b', 'b', 'c', 'd']);
  });

  it('may rotate the password of a broker', async () => {
    let password = 'old';
    const { connection, transport, clock } = fakeSetting({
      urls: () => `amqp://u:${password}@a;amqp://u:${password}@b`,
    });
    await connection.ensureConnection();
    await clock.advance(LIVED);
    password = 'new';
    transport.latest.drop();
    await settled();
    expect(await transport.lastDial.broker.credentials()).toEqual({
      username: 'u',
      password: 'new',
    });
    expect(transport.dialled).toEqual(['a', 'b']);
  });

  it.each<[string, () => BrokerUrls | Promise<BrokerUrls>, string]>([
    [
      'throws',
      () => {
        throw new Error('no DNS');
      },
      'no DNS',
    ],
    ['rejects', () => Promise.reject(new Error('no DNS')), 'no DNS'],
    ['gives an empty list', () => [], 'list of brokers'],
    ['gives a broker twice', () => 'amqp://a;amqp://a', 'amqp://guest:**@a'],
    ['gives nonsense', () => 5 as unknown as BrokerUrls, 'list of brokers'],
  ])('that %s fails the round, with its reason, and is asked again', async (_, urls, reason) => {
    const working = { now: false };
    const { connection, transport, clock } = fakeSetting({
      urls: () => (working.now ? 'amqp://c' : urls()),
    });
    const told: string[] = [];
    const counted = watch(connection.ensureConnection({ maxRetries: 1 }));
    const patient = watch(
      connection.ensureConnection({ errback: ({ broker }) => told.push(broker) }),
    );
    await clock.advance(1);
    const { error } = counted as { error: Error };
    expect(error).toSatisfy(isOperationalError);
    expect(error.cause).toSatisfy(isConfigurationError);
    const { message } = error.cause as Error;
    expect(message).toContain(reason);
    expect(message.match(/Option "urls"/g)).toHaveLength(1);
    working.now = true;
    await clock.advance(2);
    expect(patient.outcome).toBe('resolved');
    expect(told).toEqual(['urls', 'urls']);
    expect(transport.dialled).toEqual(['c']);
  });

  it('that hangs is given up after connectTimeout', async () => {
    const { connection, clock } = fakeSetting({ urls: () => new Promise(() => undefined) });
    const waiter = watch(connection.ensureConnection({ maxRetries: 0 }));
    await clock.advance(99);
    expect(waiter.outcome).toBe('pending');
    expect(connection.state).toMatchObject({ status: 'connecting', broker: 'urls' });
    await clock.advance(1);
    expect((waiter.error as Error).message).toContain('no answer within 100 ms');
  });

  it('that fails later leaves the old list in use, with a warning', async () => {
    let fails = false;
    const urls = () => {
      if (fails) throw new Error('no DNS');
      return 'amqp://a;amqp://b';
    };
    const { connection, transport, clock, logger, events } = fakeSetting({ urls });
    await connection.ensureConnection();
    fails = true;
    await clock.advance(LIVED);
    transport.latest.drop();
    await settled();
    expect(transport.dialled).toEqual(['a', 'b']);
    expect(logger.lines.filter((line) => line.includes('no DNS'))).toHaveLength(1);
    expect(events.filter(({ type }) => type === 'failed')).toEqual([]);
  });
});

describe('failoverStrategy', () => {
  it('may be a function', async () => {
    const { connection, transport } = fakeSetting({
      urls: 'amqp://a;amqp://b;amqp://c',
      failoverStrategy: backwards,
    });
    transport.brokers['c'] = 'dead';
    await connection.ensureConnection();
    expect(transport.dialled).toEqual(['c', 'b']);
    expect(connection.info().failoverStrategy).toBe('backwards');
  });

  it.each<[string, (brokers: readonly Broker[]) => Iterator<Broker>]>([
    ['ends', (brokers) => brokers.slice(0, 1).values()],
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['yields something else', () => [{} as Broker].values()],
  ])('that %s is replaced by the order of the list, with a warning', async (_, strategy) => {
    const { connection, transport, logger } = fakeSetting({
      urls: 'amqp://a;amqp://b;amqp://c',
      failoverStrategy: strategy,
    });
    transport.brokers['a'] = 'dead';
    transport.brokers['b'] = 'dead';
    await connection.ensureConnection();
    expect(transport.dialled).toEqual(['a', 'b', 'c']);
    expect(logger.lines.filter((line) => line.includes('failoverStrategy'))).toHaveLength(1);
  });
});
