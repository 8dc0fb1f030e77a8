import { describe, expect, it } from 'vitest';
import { isOperationalError, OperationalError } from '../../lib/errors.js';
import { allRefused } from '../../lib/failover.messages.js';
import { settled } from './fakes/fake-clock.js';
import { fakeSetting, watch } from './fakes/fake-setting.js';

const A = 'amqp://guest:**@a:5672/%2F';
const B = 'amqp://guest:**@b:5672/%2F';

describe('a round in which every broker refuses', () => {
  it('is told to those who wait, broker by broker, and then the loop rests', async () => {
    const { connection, transport } = fakeSetting();
    transport.brokers['a'] = 'refuses';
    transport.brokers['b'] = 'refuses';
    const waiters = [
      watch(connection.ensureConnection()),
      watch(connection.ensureConnection({ maxRetries: 0 })),
      watch(connection.ensureConnection({ maxRetries: 9 })),
    ];
    await settled();
    for (const { error } of waiters as { error: OperationalError }[]) {
      expect(isOperationalError(error)).toBe(true);
      expect(error.message).toBe(allRefused(error.failures));
      expect(error.failures.map(({ broker }) => broker)).toEqual([A, B]);
      expect(error.attempts).toBe(2);
    }
    expect(connection.state.status).toBe('idle');
  });

  it('is none when one broker is merely dead', async () => {
    const { connection, transport, clock } = fakeSetting();
    transport.brokers['a'] = 'refuses';
    transport.brokers['b'] = 'dead';
    const waiter = watch(connection.ensureConnection());
    await clock.advance(50);
    expect(waiter.outcome).toBe('pending');
    expect(connection.state.status).toBe('waiting');
  });

  it('leaves a connection that was open trying at a slow pace, until it is let in', async () => {
    const { connection, transport, clock, events } = fakeSetting({ refusedInterval: 700 });
    await connection.ensureConnection();
    transport.brokers['a'] = 'refuses';
    transport.brokers['b'] = 'refuses';
    await clock.advance(40_000);
    transport.latest.drop();
    await settled();
    expect(connection.state).toMatchObject({ status: 'refused', since: 40_000, until: 40_700 });
    expect(transport.dialled).toEqual(['a', 'b', 'a']);
    const waiter = watch(connection.ensureConnection());
    await clock.advance(699);
    expect(transport.dialled).toHaveLength(3);
    await clock.advance(1);
    expect(transport.dialled).toHaveLength(5);
    expect(waiter.outcome).toBe('rejected');
    expect(connection.state.status).toBe('refused');
    transport.brokers['b'] = 'up';
    await clock.advance(700);
    expect(connection.state.status).toBe('connected');
    expect(events.filter(({ type }) => type === 'refused')).toHaveLength(2);
  });
});
