import { expect, onTestFinished } from 'vitest';
import type { ConnectionEvent } from '../../../lib/failover/connection-events.js';
import { connectionEventTypes } from '../../../lib/failover/connection-events.js';
import type { FailoverConnectionOptions } from '../../../lib/failover/connection-options.js';
import { FailoverConnection } from '../../../lib/failover/failover-connection.js';
import { FakeClock, settled } from './fake-clock.js';
import { FakeTransport } from './fake-transport.js';
import { RecordingLogger } from './recording-logger.js';

/** Longer than anything a test waits for. */
const LONG = 10_000_000;

/**
 * A connection to brokers `a` and `b` in a world of fakes, with intervals of 1, 2, 3, ... At the end of the test it is closed,
 * and then no timer and no open connection may be left.
 */
export function fakeSetting(options: Partial<FailoverConnectionOptions> = {}) {
  const clock = new FakeClock();
  const transport = new FakeTransport(clock);
  const logger = new RecordingLogger();
  const connection = new FailoverConnection(
    {
      urls: 'amqp://a;amqp://b',
      jitter: 0,
      intervalStart: 1,
      intervalStep: 1,
      connectTimeout: 100,
      connectionName: 'test',
      logger,
      ...options,
    },
    { clock, transport, random: () => 0 },
  );
  onTestFinished(async () => {
    const closed = connection.close();
    await clock.advance(2_000);
    await closed;
    await settled();
    expect(clock.pending, 'timers left').toBe(0);
    expect(transport.live, 'connections left').toEqual([]);
  });
  return { clock, transport, logger, connection, events: eventsOf(connection), long: LONG };
}

/** Collects the events of a connection, as in `connecting amqp://...`. */
export function eventsOf(connection: FailoverConnection): ConnectionEvent[] {
  const events: ConnectionEvent[] = [];
  for (const type of connectionEventTypes) {
    connection.on(type, (event) => events.push({ type, ...event } as ConnectionEvent));
  }
  return events;
}

/** The outcome of a promise so far: its value, its error, or `pending`. Keeps a rejection from being unhandled. */
export function watch<T>(promise: Promise<T>) {
  const seen: { outcome: 'pending' | 'resolved' | 'rejected'; value?: T; error?: unknown } = {
    outcome: 'pending',
  };
  promise.then(
    (value) => Object.assign(seen, { outcome: 'resolved', value }),
    (error: unknown) => Object.assign(seen, { outcome: 'rejected', error }),
  );
  return seen;
}
