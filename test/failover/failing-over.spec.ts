import { describe, expect, it } from 'vitest';
import { settled } from './fakes/fake-clock.js';
import { fakeSetting } from './fakes/fake-setting.js';

const LIVED = 30_000;

describe('after the loss of a connection that lived', () => {
  it('the next broker is dialled in the same turn, without any wait', async () => {
    const { connection, transport, clock } = fakeSetting({ urls: 'amqp://a;amqp://b;amqp://c' });
    await connection.ensureConnection();
    await clock.advance(LIVED);
    clock.delays.length = 0;
    transport.brokers['b'] = 'hung';
    transport.latest.drop();
    // Only promises settle here: no timer, no I/O.
    await Promise.resolve();
    expect(transport.dialled).toEqual(['a', 'b']);
    expect(clock.delays).toEqual([100]);
  });

  it('each dead broker is dialled once, and nothing waits before a healthy one is found', async () => {
    const { connection, transport, clock } = fakeSetting({
      urls: 'amqp://a;amqp://b;amqp://c;amqp://d',
    });
    await connection.ensureConnection();
    await clock.advance(LIVED);
    for (const host of ['a', 'b', 'c']) transport.brokers[host] = 'dead';
    transport.latest.drop();
    await settled();
    expect(transport.dialled).toEqual(['a', 'b', 'c', 'd']);
    expect(clock.now()).toBe(LIVED);
    expect(connection.state).toMatchObject({ status: 'connected', since: LIVED });
    expect(connection.asUri()).toContain('@d:');
  });

  it.each(['round-robin', 'shuffle', 'priority'] as const)(
    'a %s round tries each broker before the first wait, also after several failovers',
    async (failoverStrategy) => {
      const hosts = ['a', 'b', 'c', 'd'];
      const { connection, transport, clock } = fakeSetting({
        urls: hosts.map((host) => `amqp://${host}`),
        failoverStrategy,
      });
      await connection.ensureConnection();
      for (const lasts of hosts) {
        await clock.advance(LIVED);
        for (const host of hosts) transport.brokers[host] = host === lasts ? 'up' : 'dead';
        const now = clock.now();
        transport.latest.drop();
        await settled();
        expect(connection.state).toMatchObject({
          status: 'connected',
          since: now,
          broker: `amqp://guest:**@${lasts}:5672/%2F`,
        });
      }
    },
  );

  it('waits come only between full rounds, and grow', async () => {
    const { connection, transport, clock } = fakeSetting();
    await connection.ensureConnection();
    await clock.advance(LIVED);
    transport.brokers['a'] = 'dead';
    transport.brokers['b'] = 'dead';
    transport.latest.drop();
    await clock.advance(6);
    const times = transport.dials.slice(1).map(({ at }) => at - LIVED);
    expect(times).toEqual([0, 0, 1, 1, 3, 3, 6, 6]);
  });

  it('the search goes on for ever, though nobody waits', async () => {
    const { connection, transport, clock } = fakeSetting({ intervalMax: 10 });
    await connection.ensureConnection();
    await clock.advance(LIVED);
    transport.brokers['a'] = 'dead';
    transport.brokers['b'] = 'dead';
    transport.latest.drop();
    await clock.advance(5_000);
    transport.brokers['b'] = 'up';
    await clock.advance(10);
    expect(connection.state.status).toBe('connected');
  });
});

describe('a broker that accepts and drops us', () => {
  it('is backed off from: no hot loop, and growing waits', async () => {
    const { connection, transport, clock } = fakeSetting({ urls: 'amqp://a' });
    await connection.ensureConnection();
    for (let round = 0; round < 4; round += 1) {
      transport.latest.drop();
      await clock.advance(round + 1);
    }
    expect(transport.dials.map(({ at }) => at)).toEqual([0, 1, 3, 6, 10]);
  });

  it('is left for the next broker at once', async () => {
    const { connection, transport, clock } = fakeSetting();
    await connection.ensureConnection();
    transport.latest.drop();
    await settled();
    expect(transport.dialled).toEqual(['a', 'b']);
    transport.latest.drop();
    await settled();
    expect(connection.state.status).toBe('waiting');
    await clock.advance(1);
    expect(transport.dialled).toEqual(['a', 'b', 'a']);
  });

  it('starts afresh once it has lived for livedAfter', async () => {
    const { connection, transport, clock, events } = fakeSetting({
      urls: 'amqp://a',
      livedAfter: 50,
    });
    await connection.ensureConnection();
    transport.latest.drop();
    await clock.advance(1);
    await clock.advance(49);
    transport.latest.drop();
    await clock.advance(2);
    await clock.advance(50);
    transport.latest.drop();
    await settled();
    const waits = events.flatMap((event) => (event.type === 'lost' ? event.interval : []));
    expect(waits).toEqual([1, 2, 0]);
    const attempts = events.flatMap((event) => (event.type === 'connecting' ? event.attempt : []));
    expect(attempts).toEqual([1, 2, 3, 1]);
  });
});

it('a broker without an answer is given up after connectTimeout, its own before the option', async () => {
  const { connection, transport, clock } = fakeSetting({
    urls: [{ hostname: 'a', connectTimeout: 30 }, 'amqp://b'],
  });
  transport.brokers['a'] = 'hung';
  const connected = connection.ensureConnection();
  await clock.advance(30);
  await connected;
  expect(transport.dials.map(({ at }) => at)).toEqual([0, 30]);
});

it('a connection that is dead on arrival counts as lost', async () => {
  const { connection, transport, events } = fakeSetting();
  transport.brokers['a'] = 'hung';
  const connected = connection.ensureConnection();
  await settled();
  transport.lastDial.accept().drop();
  await connected;
  await settled();
  expect(connection.asUri()).toContain('@b:');
  expect(events.map(({ type }) => type)).toEqual([
    'connecting',
    'connected',
    'lost',
    'connecting',
    'connected',
  ]);
});
