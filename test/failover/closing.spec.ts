import { describe, expect, it } from 'vitest';
import { isConnectionClosedError } from '../../lib/errors.js';
import { settled } from './fakes/fake-clock.js';
import { fakeSetting, watch } from './fakes/fake-setting.js';

type Setting = ReturnType<typeof fakeSetting>;

/** How to bring a connection into a state, by the name of that state. */
const states: Record<string, (setting: Setting) => Promise<void> | void> = {
  idle: () => undefined,
  connecting: ({ connection, transport }) => {
    transport.brokers['a'] = 'hung';
    watch(connection.ensureConnection());
  },
  waiting: async ({ connection, transport }) => {
    transport.brokers['a'] = 'dead';
    transport.brokers['b'] = 'dead';
    watch(connection.ensureConnection());
    await settled();
  },
  refused: async ({ connection, transport, clock }) => {
    await connection.ensureConnection();
    await clock.advance(30_000);
    transport.brokers['a'] = 'refuses';
    transport.brokers['b'] = 'refuses';
    transport.latest.drop();
    await settled();
  },
  connected: async ({ connection }) => {
    await connection.ensureConnection();
  },
};

describe.each(Object.keys(states))('closing a connection that is %s', (name) => {
  it('ends in closed, without a timer or a connection left', async () => {
    const setting = fakeSetting({ intervalStart: 1_000 });
    const { connection, transport, clock } = setting;
    await states[name]?.(setting);
    expect(connection.state.status).toBe(name);
    const closed = watch(connection.close());
    expect(connection.state.status).toBe('closing');
    await settled();
    expect(closed.outcome).toBe('resolved');
    expect(connection.state.status).toBe('closed');
    expect(clock.pending).toBe(0);
    expect(transport.live).toEqual([]);
    const dials = transport.dials.length;
    await clock.advance(100_000);
    expect(transport.dials).toHaveLength(dials);
  });

  it('rejects those who wait, and all who come later', async () => {
    const setting = fakeSetting();
    const { connection } = setting;
    await states[name]?.(setting);
    setting.transport.brokers['b'] = 'hung';
    if (name === 'connected') void connection.switchTo('amqp://b').catch(() => undefined);
    if (name === 'idle') setting.transport.brokers['a'] = 'hung';
    const waiter = watch(connection.ensureConnection());
    await connection.close();
    await settled();
    expect(waiter.error).toSatisfy(isConnectionClosedError);
    const later = [
      connection.ensureConnection(),
      connection.connect(),
      connection.channel(),
      connection.defaultChannel(),
      connection.switchTo('amqp://b'),
      connection.ensure(null, () => connection.defaultChannel())(),
      connection.autoretry(() => 1)(),
    ];
    for (const late of later) await expect(late).rejects.toSatisfy(isConnectionClosedError);
  });

  it('is done once, however often it is asked for', async () => {
    const setting = fakeSetting();
    const { connection, transport, events } = setting;
    await states[name]?.(setting);
    await Promise.all([connection.close(), connection.close(), connection[Symbol.asyncDispose]()]);
    await connection.close();
    await settled();
    expect(events.filter(({ type }) => type === 'closed')).toHaveLength(1);
    for (const { closeCalls } of transport.connections) expect(closeCalls).toBeLessThanOrEqual(1);
  });
});

describe('close', () => {
  it('destroys a connection whose own close hangs, at closeTimeout', async () => {
    const { connection, transport, clock } = fakeSetting({ closeTimeout: 300 });
    await connection.ensureConnection();
    transport.latest.closeHangs = true;
    const closed = watch(connection.close());
    await clock.advance(299);
    expect(closed.outcome).toBe('pending');
    await clock.advance(1);
    expect(closed.outcome).toBe('resolved');
    expect(transport.latest.destroyed).toSatisfy(isConnectionClosedError);
  });

  it('destroys a connection whose dial succeeds only afterwards', async () => {
    const { connection, transport } = fakeSetting();
    transport.brokers['a'] = 'deaf';
    const waiter = watch(connection.ensureConnection());
    await settled();
    await connection.close();
    const late = transport.lastDial.accept();
    await settled();
    expect(late.destroyed).toBeInstanceOf(Error);
    expect(waiter.error).toSatisfy(isConnectionClosedError);
    expect(connection.state.status).toBe('closed');
  });

  it('waits for a connection that was left by switchTo and is still closing', async () => {
    const { connection, transport, clock } = fakeSetting({ closeTimeout: 300 });
    await connection.ensureConnection();
    transport.latest.closeHangs = true;
    const left = transport.latest;
    await connection.switchTo('amqp://b');
    const closed = watch(connection.close());
    await settled();
    expect(closed.outcome).toBe('pending');
    await clock.advance(300);
    expect(closed.outcome).toBe('resolved');
    expect(left.destroyed).toBeInstanceOf(Error);
  });

  it('ends an operation that pauses between two runs, with its timer', async () => {
    const { connection, transport, clock } = fakeSetting();
    const operation = connection.ensure(
      null,
      async () => {
        const channel = await connection.defaultChannel();
        await channel.checkQueue('locked');
      },
      { intervalStart: 5_000 },
    );
    await connection.ensureConnection();
    transport.latest.answer = () => 405;
    const pending = watch(operation());
    await settled();
    expect(clock.pending).toBe(1);
    await connection.close();
    await settled();
    expect(pending.error).toSatisfy(isConnectionClosedError);
    expect(clock.pending).toBe(0);
  });

  it('ends an operation that it interrupts as closed, not as given up, and tells no errback', async () => {
    const { connection, transport } = fakeSetting();
    const told: unknown[] = [];
    const options = { maxRetries: 0, errback: (event: unknown) => told.push(event) };
    const operation = connection.autoretry((channel) => channel.checkQueue('q'), options);
    await connection.ensureConnection();
    transport.latest.answer = () => 'hang';
    const pending = watch(operation());
    await settled();
    await connection.close();
    await settled();
    expect(pending.error).toSatisfy(isConnectionClosedError);
    expect(told).toEqual([]);
  });

  it('does not ask for the list of brokers again, nor warn about it', async () => {
    let asked = 0;
    const urls = () => {
      asked += 1;
      return asked === 1 ? 'amqp://a' : new Promise<string>(() => undefined);
    };
    const { connection, transport, logger, clock } = fakeSetting({ urls });
    await connection.ensureConnection();
    await clock.advance(30_000);
    transport.latest.drop();
    await settled();
    expect(connection.state).toMatchObject({ status: 'connecting', broker: 'urls' });
    await connection.close();
    await settled();
    expect(logger.lines.filter((line) => line.includes('urls'))).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
