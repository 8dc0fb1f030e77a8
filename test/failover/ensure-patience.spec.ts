import { getEventListeners } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isOperationalError, OperationalError } from '../../lib/errors.js';
import { operationGaveUp, operationTimedOut } from '../../lib/failover.messages.js';
import { ensured } from './fakes/ensured-setting.js';
import { settled } from './fakes/fake-clock.js';
import { fakeSetting, watch } from './fakes/fake-setting.js';

/** Answers that close so many channels, then no more. */
const failing = (codes: number) => {
  const left = Array.from({ length: codes }, () => 405);
  return () => left.shift() ?? ('ok' as const);
};

describe('ensure: how often', () => {
  it.each([
    ['no failure', 0, 0, 1],
    ['one failure', 1, 1, 2],
    ['two failures', 2, 2, 3],
  ])('%s within maxRetries %i is borne', async (_, failures, maxRetries, expected) => {
    const { transport, operation, runs, clock } = await ensured({ maxRetries });
    transport.latest.answer = failing(failures);
    const done = watch(operation('orders'));
    await clock.advance(100_000);
    expect(done.value).toBe('orders');
    expect(runs).toHaveLength(expected);
  });

  it.each([
    [0, 1],
    [1, 2],
    [2, 3],
  ])('after maxRetries %i, which is %i runs, it gives up', async (maxRetries, expected) => {
    const { transport, operation, runs, clock } = await ensured({ maxRetries });
    transport.latest.answer = failing(9);
    const done = watch(operation('orders'));
    await clock.advance(100_000);
    expect(runs).toHaveLength(expected);
    const { error } = done as { error: OperationalError };
    expect(error).toSatisfy(isOperationalError);
    expect(error.attempts).toBe(expected);
    const reason = (error.cause as Error).message;
    expect(error.message).toBe(operationGaveUp('check', expected, reason, error.failures));
  });

  it('maxRetries undefined goes on without limit, the waits growing up to intervalMax', async () => {
    const intervals: number[] = [];
    const { transport, operation, runs, clock } = await ensured({
      errback: ({ interval }) => intervals.push(interval),
      jitter: 0,
      intervalStep: 100,
      intervalMax: 250,
    });
    transport.latest.answer = failing(6);
    const done = watch(operation('orders'));
    await clock.advance(100_000);
    expect(done.value).toBe('orders');
    expect(runs).toHaveLength(7);
    expect(intervals).toEqual([0, 100, 200, 250, 250, 250]);
  });

  it('while connecting again, as many failed rounds are borne as re-runs are left', async () => {
    const { transport, operation, clock } = await ensured({ maxRetries: 2 }, 'amqp://a');
    transport.brokers['a'] = 'dead';
    transport.latest.drop();
    const done = watch(operation('orders'));
    await clock.advance(1_000);
    expect(done.error).toSatisfy(isOperationalError);
  });

  it('timeout ends it while the operation hangs, and what it still does is not heard of', async () => {
    const { connection, clock } = fakeSetting();
    await connection.ensureConnection();
    let fail: ((error: Error) => void) | undefined;
    const operation = connection.ensure(
      null,
      function hangs() {
        return new Promise<void>((_, reject) => (fail = reject));
      },
      { timeout: 700 },
    );
    const done = watch(operation());
    await clock.advance(699);
    expect(done.outcome).toBe('pending');
    await clock.advance(1);
    expect(done.error).toSatisfy(isOperationalError);
    expect((done.error as Error).message).toBe(operationTimedOut('hangs', 700, 1, undefined, []));
    // An unhandled rejection would fail the run.
    fail?.(new Error('late'));
    await settled();
    expect(clock.pending).toBe(0);
  });

  it('timeout during a revival that hangs: the operation is not begun afterwards', async () => {
    const { transport, operation, clock, runs, holder } = await ensured({ timeout: 700 });
    transport.brokers['b'] = 'hung';
    transport.latest.drop();
    const done = watch(operation('orders'));
    await settled();
    const next = transport.lastDial.accept();
    const channel = await next.openChannel();
    let open: ((opened: typeof channel) => void) | undefined;
    next.openChannel = () => new Promise((resolve) => (open = resolve));
    await clock.advance(700);
    expect(done.error).toSatisfy(isOperationalError);
    open?.(channel);
    await clock.advance(10_000);
    expect(runs).toHaveLength(1);
    expect(holder.revivedOn).toEqual([]);
  });

  it('signal ends it with its reason: during a run, a pause, and before all', async () => {
    const reason = new Error('stopping');
    const aborter = new AbortController();
    const { transport, operation, runs } = await ensured({ signal: aborter.signal });
    transport.latest.answer = () => 'hang';
    const running = watch(operation('orders'));
    transport.latest.answer = failing(9);
    const pausing = watch(operation('invoices'));
    await settled();
    aborter.abort(reason);
    await settled();
    expect([running.error, pausing.error]).toEqual([reason, reason]);
    const before = runs.length;
    await expect(operation('late')).rejects.toBe(reason);
    expect(runs).toHaveLength(before);
  });

  it('an errback that aborts the signal prevents the next run', async () => {
    const aborter = new AbortController();
    const { transport, operation, runs } = await ensured({
      signal: aborter.signal,
      errback: () => aborter.abort(new Error('enough')),
    });
    transport.latest.answer = failing(1);
    await expect(operation('orders')).rejects.toThrow('enough');
    expect(runs).toHaveLength(1);
  });

  it('a signal that many calls share has a listener for each pending call, and warns of nothing', async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warned);
    onTestFinished(() => void process.off('warning', warned));
    const aborter = new AbortController();
    const { transport, operation } = await ensured({ signal: aborter.signal });
    transport.latest.answer = () => 'hang';
    const calls = Array.from({ length: 50 }, () => watch(operation('orders')));
    await settled();
    expect(getEventListeners(aborter.signal, 'abort')).toHaveLength(50);
    aborter.abort(new Error('enough'));
    await settled();
    expect(calls.map(({ outcome }) => outcome)).toEqual(calls.map(() => 'rejected'));
    expect(getEventListeners(aborter.signal, 'abort')).toHaveLength(0);
    expect(warnings).toEqual([]);
  });

  it('an errback that throws changes nothing', async () => {
    const { transport, operation, logger } = await ensured({
      errback: () => {
        throw new Error('errback is broken');
      },
    });
    transport.latest.answer = failing(1);
    expect(await operation('orders')).toBe('orders');
    expect(logger.errors).toEqual([new Error('errback is broken')]);
  });
});
