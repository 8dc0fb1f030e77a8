import { expect, it } from 'vitest';
import { settledWithin } from '../../lib/failover/settled-within.js';
import { deferred, never } from './fakes/consumer-setting.js';
import { FakeClock } from './fakes/fake-clock.js';
import { watch } from './fakes/fake-setting.js';

function waiting(promise: Promise<unknown>, timeout?: number, abort = new AbortController()) {
  const clock = new FakeClock();
  return { clock, abort, wait: watch(settledWithin(clock, timeout, abort.signal, promise)) };
}

it('resolves when the promise has settled, in whatever way, and leaves no timer', async () => {
  for (const how of ['resolve', 'reject'] as const) {
    const one = deferred<unknown>();
    const { clock, wait } = waiting(one.promise, 100);
    await clock.advance(99);
    expect(wait.outcome).toBe('pending');
    one[how](new Error('whatever'));
    await clock.advance(0);
    expect(wait.outcome).toBe('resolved');
    expect(clock.pending).toBe(0);
  }
});

it('resolves after its timeout', async () => {
  const { clock, wait } = waiting(never(), 100);
  await clock.advance(100);
  expect(wait.outcome).toBe('resolved');
});

it('resolves when its signal aborts, or has aborted before, and leaves no timer', async () => {
  const { abort, clock, wait } = waiting(never(), 100);
  abort.abort();
  await clock.advance(0);
  expect(wait.outcome).toBe('resolved');
  expect(clock.pending).toBe(0);
  const late = waiting(never(), 100, abort);
  await late.clock.advance(0);
  expect(late.wait.outcome).toBe('resolved');
  expect(late.clock.pending).toBe(0);
});

it('waits for ever without a timeout', async () => {
  const { clock, wait } = waiting(never());
  await clock.advance(1_000_000);
  expect(wait.outcome).toBe('pending');
  expect(clock.delays).toEqual([]);
});
