import { inspect } from 'node:util';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { ConnectionEvent } from '../../lib/failover/connection-events.js';
import type { ConnectionView } from '../../lib/failover/connection-parts.js';
import { listenerFailed } from '../../lib/failover.messages.js';
import { settled } from './fakes/fake-clock.js';
import { fakeSetting, watch } from './fakes/fake-setting.js';

const A = 'amqp://guest:**@a:5672/%2F';
const B = 'amqp://guest:**@b:5672/%2F';

describe('the events of a connection', () => {
  it('come in the order in which things happen, each with its facts', async () => {
    const { connection, transport, clock, events } = fakeSetting();
    transport.brokers['a'] = 'dead';
    await connection.ensureConnection();
    transport.latest.block('disk');
    transport.latest.block(undefined);
    await clock.advance(30_000);
    transport.brokers['b'] = 'dead';
    const loss = transport.latest.drop(320);
    await settled();
    transport.brokers['a'] = 'up';
    await clock.advance(1);
    await connection.close();
    await settled();
    expect(events).toEqual([
      { type: 'connecting', broker: A, attempt: 1 },
      { type: 'failed', broker: A, error: expect.any(Error), attempt: 1, interval: 0 },
      { type: 'connecting', broker: B, attempt: 2 },
      { type: 'connected', broker: B, attempt: 2, outage: undefined },
      { type: 'blocked', broker: B, reason: 'disk' },
      { type: 'blocked', broker: B, reason: undefined },
      { type: 'lost', broker: B, error: loss, lived: 30_000, interval: 0 },
      { type: 'connecting', broker: A, attempt: 1 },
      { type: 'failed', broker: A, error: expect.any(Error), attempt: 1, interval: 0 },
      { type: 'connecting', broker: B, attempt: 2 },
      { type: 'failed', broker: B, error: expect.any(Error), attempt: 2, interval: 1 },
      { type: 'connecting', broker: A, attempt: 3 },
      { type: 'connected', broker: A, attempt: 3, outage: 1 },
      { type: 'closed', connectionName: 'test' },
    ]);
  });

  it('are told outside the stack in which they happen', async () => {
    const { connection } = fakeSetting();
    const order: string[] = [];
    connection.on('connecting', () => order.push('event'));
    watch(connection.ensureConnection());
    order.push('after');
    await settled();
    expect(order).toEqual(['after', 'event']);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('a listener that %s is logged, and the others are told', async (_, listener) => {
    const { connection, logger } = fakeSetting();
    const told: string[] = [];
    connection.on('connected', listener);
    connection.on('connected', ({ broker }) => told.push(broker));
    await connection.ensureConnection();
    await settled();
    expect(told).toEqual([A]);
    expect(logger.errors).toEqual([new Error('broken')]);
    expect(logger.lines).toContain(`error: ${listenerFailed('connected')}`);
  });

  it('are not told to a listener that was taken away', async () => {
    const { connection } = fakeSetting();
    const told: unknown[] = [];
    const off = connection.on('connected', (event) => told.push(event));
    off();
    await connection.ensureConnection();
    await settled();
    expect(told).toEqual([]);
  });

  it('are an Observable as well, which completes when the connection is closed', async () => {
    const { connection } = fakeSetting();
    const types: string[] = [];
    connection.events.subscribe({
      next: ({ type }) => types.push(type),
      complete: () => types.push('complete'),
    });
    await connection.ensureConnection();
    await connection.close();
    await settled();
    expect(types).toEqual(['connecting', 'connected', 'closed', 'complete']);
    let late = 'open';
    connection.events.subscribe({ complete: () => (late = 'complete') });
    expect(late).toBe('complete');
  });

  it('leave no listener of a subscriber that has unsubscribed', () => {
    const { connection } = fakeSetting();
    const before = connection.parts.listeners.count;
    const subscription = connection.events.subscribe();
    expect(connection.parts.listeners.count).toBeGreaterThan(before);
    subscription.unsubscribe();
    expect(connection.parts.listeners.count).toBe(before);
  });

  it('leave no listener of an operation or waiter that has settled', async () => {
    const { connection } = fakeSetting();
    const before = connection.parts.listeners.count;
    await connection.ensureConnection({ errback: () => undefined });
    await connection.ensure(null, () => 1, { errback: () => undefined })();
    expect(connection.parts.listeners.count).toBe(before);
  });

  it('are typed by their names', () => {
    const { connection } = fakeSetting();
    connection.on('lost', (event) => expectTypeOf(event.lived).toEqualTypeOf<number>());
    expectTypeOf<ConnectionEvent['type']>().toEqualTypeOf<
      'connecting' | 'failed' | 'refused' | 'connected' | 'lost' | 'blocked' | 'closed'
    >();
  });
});

describe('the log', () => {
  it('warns of the first failure of a series and tells of the recovery with the length of the outage', async () => {
    const { connection, transport, clock, logger } = fakeSetting();
    await connection.ensureConnection();
    await clock.advance(30_000);
    transport.brokers['a'] = 'dead';
    transport.brokers['b'] = 'dead';
    transport.latest.drop();
    await settled();
    transport.brokers['a'] = 'up';
    await clock.advance(1);
    expect(logger.lines.map((line) => line.split(':')[0])).toEqual([
      'log',
      'warn',
      'debug',
      'debug',
      'debug',
      'log',
    ]);
    expect(logger.lines.at(-1)).toContain('after an outage of 1 ms');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('disk full');
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk full'))],
  ])('a logger that %s changes nothing', async (_, write) => {
    const logger = { log: write, warn: write, error: write };
    const { connection, transport } = fakeSetting({ logger });
    connection.on('connected', () => {
      throw new Error('broken');
    });
    transport.brokers['a'] = 'dead';
    await connection.ensureConnection();
    await settled();
    expect(connection.state.status).toBe('connected');
  });
});

describe('what can be seen of a connection', () => {
  it('state is a view: it never shows the link', async () => {
    const { connection } = fakeSetting();
    expect(connection.state).toEqual({ status: 'idle', failures: [] });
    await connection.ensureConnection();
    expect(connection.state).toEqual({ status: 'connected', since: 0, broker: A });
    expectTypeOf<Extract<ConnectionView, { status: 'connected' }>>().not.toHaveProperty('link');
  });

  it('shows no secret, however it is printed', async () => {
    const { connection, transport, logger, events } = fakeSetting({
      urls: 'amqp://user:s3cret@a;amqp://user:s3cret@b',
    });
    transport.brokers['a'] = 'dead';
    await connection.ensureConnection();
    await settled();
    const shown = [
      inspect(connection, { depth: 9, showHidden: true }),
      inspect(connection.state, { depth: 9 }),
      inspect(connection.info(), { depth: 9 }),
      JSON.stringify([connection, connection.state, connection.info(), events]),
      inspect(events, { depth: 9 }),
      connection.asUri(),
      ...logger.lines,
    ].join('\n');
    expect(shown).toContain('amqp://user:**@b:5672/%2F');
    expect(shown).not.toContain('s3cret');
    expect(inspect(connection)).toBe('FailoverConnection <amqp://user:**@b:5672/%2F connected>');
    expect(connection.asUri({ includePassword: true })).toContain('s3cret');
  });

  it('info tells of brokers, strategy, server and blocking', async () => {
    const { connection, transport } = fakeSetting();
    transport.serverProperties = () => ({ product: 'RabbitMQ', clusterName: 'one' });
    expect(connection.info()).toEqual({
      connectionName: 'test',
      status: 'idle',
      broker: A,
      brokers: [A, B],
      failoverStrategy: 'round-robin',
      blocked: undefined,
      server: {},
    });
    await connection.ensureConnection();
    transport.latest.block('disk');
    expect(connection.blocked).toBe('disk');
    expect(connection.info()).toMatchObject({
      status: 'connected',
      blocked: 'disk',
      server: { product: 'RabbitMQ', clusterName: 'one' },
    });
  });
});
