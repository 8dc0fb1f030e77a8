import { describe, expect, it } from 'vitest';
import { isConnectionClosedError, isOperationalError, OperationalError } from '../../lib/errors.js';
import { cannotConnect, connectTimedOut } from '../../lib/failover.messages.js';
import type { ErrbackEvent } from '../../lib/failover/ensure-options.js';
import { settled } from './fakes/fake-clock.js';
import { fakeSetting, watch } from './fakes/fake-setting.js';

const A = 'amqp://guest:**@a:5672/%2F';
const B = 'amqp://guest:**@b:5672/%2F';

describe('those who wait for a connection', () => {
  it('share one dial', async () => {
    const { connection, transport } = fakeSetting();
    const all = await Promise.all(Array.from({ length: 100 }, () => connection.ensureConnection()));
    expect(new Set(all)).toEqual(new Set([connection]));
    expect(transport.dialled).toEqual(['a']);
  });

  it('each leave by their own patience while the others get the connection', async () => {
    const { connection, transport, clock } = fakeSetting();
    transport.brokers['a'] = 'dead';
    transport.brokers['b'] = 'dead';
    const aborter = new AbortController();
    const reason = new Error('changed my mind');
    const aborted = watch(connection.ensureConnection({ signal: aborter.signal }));
    const timed = watch(connection.ensureConnection({ timeout: 5 }));
    const counted = watch(connection.ensureConnection({ maxRetries: 1 }));
    const patient = [1, 2, 3].map(() => watch(connection.ensureConnection()));
    await settled();
    expect(counted.outcome).toBe('pending');
    aborter.abort(reason);
    await clock.advance(1);
    expect(aborted.error).toBe(reason);
    expect(counted.error).toBeInstanceOf(OperationalError);
    expect(timed.outcome).toBe('pending');
    await clock.advance(4);
    expect(timed.error).toBeInstanceOf(OperationalError);
    expect((timed.error as Error).message).toContain('Not connected to any broker within 5 ms');
    transport.brokers['b'] = 'up';
    await clock.advance(10);
    expect(patient.map(({ outcome }) => outcome)).toEqual(['resolved', 'resolved', 'resolved']);
  });

  it.each([
    [0, 2],
    [1, 4],
    [2, 6],
  ])('with maxRetries %i are told after %i dials of two brokers', async (maxRetries, dials) => {
    const { connection, transport, clock } = fakeSetting();
    transport.brokers['a'] = 'dead';
    transport.brokers['b'] = 'dead';
    const waiter = watch(connection.ensureConnection({ maxRetries }));
    await clock.advance(100);
    expect(transport.dialled).toHaveLength(dials);
    const { error } = waiter as { error: OperationalError };
    expect(isOperationalError(error)).toBe(true);
    expect(error.attempts).toBe(dials);
    expect(error.failures.map(({ broker }) => broker)).toEqual([A, B]);
    expect(error.message).toBe(cannotConnect(dials, error.failures));
    expect(error.cause).toBe(error.failures[1]?.error);
  });

  it('with connect() are told after each broker was tried twice, also if maxRetries is given as undefined', async () => {
    const { connection, transport, clock } = fakeSetting();
    transport.brokers['a'] = 'dead';
    transport.brokers['b'] = 'dead';
    const waiter = watch(connection.connect({ maxRetries: undefined }));
    await clock.advance(100);
    expect(waiter.outcome).toBe('rejected');
    expect(transport.dialled).toEqual(['a', 'b', 'a', 'b']);
  });

  it('get a full round of their own when they come in the middle of one', async () => {
    const { connection, transport, clock } = fakeSetting();
    transport.brokers['a'] = 'hung';
    transport.brokers['b'] = 'hung';
    watch(connection.ensureConnection());
    await settled();
    transport.lastDial.fail('unreachable');
    await settled();
    const late = watch(connection.ensureConnection({ maxRetries: 0 }));
    transport.lastDial.fail('unreachable');
    await clock.advance(1);
    expect(late.outcome).toBe('pending');
    transport.lastDial.fail('unreachable');
    await settled();
    expect(late.outcome).toBe('rejected');
    expect(transport.dialled).toEqual(['a', 'b', 'a', 'b']);
  });

  it('do not begin when their signal is aborted already', async () => {
    const { connection, transport } = fakeSetting();
    const reason = new Error('too late');
    await expect(connection.ensureConnection({ signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    expect(transport.dials).toEqual([]);
    expect(connection.state.status).toBe('idle');
  });

  it('who abort in the turn in which they came leave no dial behind', async () => {
    const { connection, transport, clock } = fakeSetting();
    transport.brokers['a'] = 'hung';
    const aborter = new AbortController();
    const waiter = watch(connection.ensureConnection({ signal: aborter.signal }));
    aborter.abort(new Error('no'));
    await settled();
    expect(waiter.outcome).toBe('rejected');
    expect(connection.state.status).toBe('idle');
    expect(transport.lastDial.options.signal.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('are told by timeout what failed so far', async () => {
    const { connection, transport, clock } = fakeSetting();
    transport.brokers['a'] = 'dead';
    transport.brokers['b'] = 'hung';
    const waiter = watch(connection.ensureConnection({ timeout: 50 }));
    await clock.advance(50);
    const { error } = waiter as { error: OperationalError };
    expect(error.failures.map(({ broker }) => broker)).toEqual([A]);
    expect(error.message).toBe(connectTimedOut(50, error.failures));
  });
});

describe('errback', () => {
  it('sees each failed dial: no wait within a round, a longer one after each', async () => {
    const { connection, transport, clock } = fakeSetting();
    transport.brokers['a'] = 'dead';
    transport.brokers['b'] = 'dead';
    const told: ErrbackEvent[] = [];
    const waiter = watch(
      connection.ensureConnection({ maxRetries: 2, errback: (event) => told.push(event) }),
    );
    await clock.advance(10);
    expect(waiter.outcome).toBe('rejected');
    expect(told.map(({ interval }) => interval)).toEqual([0, 1, 0, 2, 0, 3]);
    expect(told.map(({ broker }) => broker)).toEqual([A, B, A, B, A, B]);
    expect(told.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(told[0]?.error.message).toBe('a is unreachable');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('errback is broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('errback is broken'))],
  ])('changes nothing when it %s', async (_, errback) => {
    const { connection, transport, clock, logger } = fakeSetting();
    transport.brokers['a'] = 'dead';
    await connection.ensureConnection({ errback });
    await clock.advance(1);
    expect(transport.dialled).toEqual(['a', 'b']);
    expect(logger.errors).toEqual([new Error('errback is broken')]);
  });

  it('hears nothing more once its call has settled', async () => {
    const { connection, transport } = fakeSetting();
    const told: ErrbackEvent[] = [];
    await connection.ensureConnection({ errback: (event) => told.push(event) });
    transport.brokers['a'] = 'dead';
    transport.latest.drop();
    await settled();
    expect(told).toEqual([]);
  });
});

describe('a connection that was never open', () => {
  it('rests when nobody waits any more, without a timer, and begins anew when asked', async () => {
    const { connection, transport, clock } = fakeSetting();
    transport.brokers['a'] = 'dead';
    transport.brokers['b'] = 'dead';
    const first = watch(connection.ensureConnection({ maxRetries: 0 }));
    await settled();
    expect(first.outcome).toBe('rejected');
    expect(connection.state.status).toBe('idle');
    expect(clock.pending).toBe(0);
    await clock.advance(1_000);
    expect(transport.dialled).toHaveLength(2);
    transport.brokers['a'] = 'up';
    await connection.ensureConnection();
    expect(transport.dialled).toEqual(['a', 'b', 'a']);
  });

  it('does not dial once more for nobody when there is no interval', async () => {
    const { connection, transport } = fakeSetting({ intervalStart: 0, intervalStep: 0 });
    transport.brokers['a'] = 'dead';
    transport.brokers['b'] = 'dead';
    await expect(connection.ensureConnection({ maxRetries: 0 })).rejects.toSatisfy(
      isOperationalError,
    );
    await settled();
    expect(transport.dialled).toEqual(['a', 'b']);
  });

  it('stops in the middle of a pause when its only waiter goes', async () => {
    const { connection, transport, clock } = fakeSetting({ intervalStart: 1_000 });
    transport.brokers['a'] = 'dead';
    transport.brokers['b'] = 'dead';
    const waiter = watch(connection.ensureConnection({ timeout: 10 }));
    await settled();
    expect(connection.state.status).toBe('waiting');
    await clock.advance(10);
    expect(waiter.outcome).toBe('rejected');
    expect(connection.state.status).toBe('idle');
    expect(clock.pending).toBe(0);
  });
});

it('refuses to connect after close', async () => {
  const { connection } = fakeSetting();
  await connection.close();
  await expect(connection.ensureConnection()).rejects.toSatisfy(isConnectionClosedError);
});
