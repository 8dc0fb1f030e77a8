import { describe, expect, it } from 'vitest';
import type { Broker } from '../../lib/amqp/broker.js';
import type { BrokerUrls } from '../../lib/failover/broker-source.js';
import { isConfigurationError, isOperationalError } from '../../lib/errors.js';
import { settled } from './fakes/fake-clock.js';
import { eventsOf, fakeSetting, watch } from './fakes/fake-setting.js';

const LIVED = 30_000;

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
    const { connection, transport, clock, logger } = fakeSetting({ urls });
    await connection.ensureConnection();
    fails = true;
    await clock.advance(LIVED);
    transport.latest.drop();
    await settled();
    expect(transport.dialled).toEqual(['a', 'b']);
    expect(logger.lines.filter((line) => line.includes('no DNS'))).toHaveLength(1);
  });
});

describe('failoverStrategy', () => {
  it('may be a function', async () => {
    function* backwards(brokers: readonly Broker[]) {
      for (;;) yield* brokers.toReversed();
    }
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

describe('switchTo', () => {
  it('chooses the broker of the first dial when nothing is connected yet', async () => {
    const { connection, transport } = fakeSetting();
    await connection.switchTo('amqp://b');
    expect(transport.dials).toEqual([]);
    await connection.ensureConnection();
    expect(transport.dialled).toEqual(['b']);
  });

  it('also when the list is not known yet and does not have it', async () => {
    const { connection, transport } = fakeSetting({ urls: async () => 'amqp://a;amqp://b' });
    transport.brokers['x'] = 'dead';
    await connection.switchTo('amqp://x');
    await connection.ensureConnection();
    expect(transport.dialled).toEqual(['x', 'a']);
  });

  it('leaves the current broker, and resolves when the other one is connected', async () => {
    const { connection, transport } = fakeSetting();
    await connection.ensureConnection();
    await connection.channel();
    const left = transport.latest;
    transport.brokers['b'] = 'hung';
    const switched = watch(connection.switchTo('amqp://b'));
    expect(connection.state.status).toBe('connecting');
    await settled();
    expect(switched.outcome).toBe('pending');
    expect(left.closeCalls).toBe(1);
    transport.lastDial.accept();
    await settled();
    expect(switched.outcome).toBe('resolved');
    expect(connection.asUri()).toContain('@b:');
  });

  it('does nothing when it is the current broker already', async () => {
    const { connection, transport } = fakeSetting();
    await connection.ensureConnection();
    await connection.switchTo('amqp://a');
    expect(transport.dialled).toEqual(['a']);
    expect(transport.latest.loss).toBeUndefined();
  });

  it('ends the dial in progress; if that succeeds all the same, its connection is destroyed', async () => {
    const { connection, transport } = fakeSetting();
    transport.brokers['a'] = 'deaf';
    const waiter = watch(connection.ensureConnection());
    await settled();
    const late = transport.lastDial;
    await connection.switchTo('amqp://b');
    expect(late.options.signal.aborted).toBe(true);
    expect(waiter.outcome).toBe('resolved');
    const connected = late.accept();
    await settled();
    expect(connected.destroyed).toBeInstanceOf(Error);
    expect(connection.asUri()).toContain('@b:');
  });

  it.each(['dead', 'refuses'] as const)(
    'ends the pause after a round of %s brokers',
    async (how) => {
      const { connection, transport, clock } = fakeSetting({
        urls: 'amqp://a;amqp://b',
        intervalStart: 500,
      });
      await connection.ensureConnection();
      transport.brokers['a'] = how;
      transport.brokers['b'] = how;
      transport.latest.drop();
      await settled();
      const { status } = connection.state;
      expect(['waiting', 'refused']).toContain(status);
      const now = clock.now();
      await connection.switchTo('amqp://x');
      expect(clock.now()).toBe(now);
      expect(connection.asUri()).toContain('@x:');
    },
  );

  it('to a dead broker goes on with the list, without a wait', async () => {
    const { connection, transport, clock } = fakeSetting();
    await connection.ensureConnection();
    transport.brokers['x'] = 'dead';
    transport.brokers['a'] = 'dead';
    await connection.switchTo('amqp://x');
    expect(transport.dialled).toEqual(['a', 'x', 'a', 'b']);
    expect(clock.now()).toBe(0);
  });

  it.each([
    ['two brokers', 'amqp://a;amqp://b'],
    ['no broker', ''],
    ['something else', 'http://a'],
  ])('refuses %s', async (_, url) => {
    const { connection } = fakeSetting();
    await expect(connection.switchTo(url)).rejects.toSatisfy(isConfigurationError);
  });

  it('refuses to send the password in clear where the list has TLS', async () => {
    const { connection } = fakeSetting({ urls: 'amqps://a;amqps://b' });
    await expect(connection.switchTo('amqp://c')).rejects.toSatisfy(isConfigurationError);
  });

  it('takes an address of the list with its password masked, and logs in with the real one', async () => {
    const { connection, transport } = fakeSetting({ urls: 'amqp://a;amqp://u:secret@b' });
    await connection.switchTo('amqp://u:**@b');
    await connection.ensureConnection();
    expect((await transport.lastDial.broker.credentials()).password).toBe('secret');
  });
});

describe('a clone', () => {
  const cloneOf = (setting: ReturnType<typeof fakeSetting>) => {
    const clone = setting.connection.clone({ connectionName: 'clone' });
    return { clone, close: () => clone.close(), events: eventsOf(clone) };
  };

  it('dials the broker that its sibling is on', async () => {
    const setting = fakeSetting();
    const { connection, transport } = setting;
    transport.brokers['a'] = 'dead';
    await connection.ensureConnection();
    const { clone, close } = cloneOf(setting);
    await clone.ensureConnection();
    expect(transport.dialled).toEqual(['a', 'b', 'b']);
    expect(transport.lastDial.options.connectionName).toBe('clone');
    await close();
    expect(connection.state.status).toBe('connected');
  });

  it('goes to the same broker after both lost theirs, whoever notices first', async () => {
    const setting = fakeSetting({ urls: 'amqp://a;amqp://b;amqp://c' });
    const { connection, transport, clock } = setting;
    const { clone, close } = cloneOf(setting);
    await connection.ensureConnection();
    await clone.ensureConnection();
    await clock.advance(LIVED);
    transport.brokers['b'] = 'dead';
    const [first, second] = transport.connections;
    second?.drop();
    await settled();
    first?.drop();
    await settled();
    expect(transport.live.map(({ broker }) => broker.hostname)).toEqual(['c', 'c']);
    expect(transport.dialled).toEqual(['a', 'a', 'b', 'c', 'c']);
    await close();
  });

  it('keeps its name if none is given, and refuses an option that is unknown', () => {
    const { connection } = fakeSetting();
    expect(connection.clone().info().connectionName).toBe('test');
    expect(connection.clone({ connectionName: undefined as never }).info().connectionName).toBe(
      'test',
    );
    expect(() => connection.clone({ conectionName: 'x' } as never)).toThrow('conectionName');
  });
});
