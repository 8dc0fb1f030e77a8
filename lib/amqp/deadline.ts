import type { Clock } from '../policy/clock.js';

/** Waits for `settled`, but no longer than `timeout` milliseconds, and leaves no timer behind. Never rejects. */
export function atMost(clock: Clock, timeout: number, settled: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.schedule(timeout, resolve);
    const finish = (): void => {
      cancel();
      resolve();
    };
    settled.then(finish, finish);
  });
}

/** Runs `run`, but rejects with the reason of `signal` as soon as that is aborted. */
export async function untilAborted<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => reject(errorOf(signal.reason));
    signal.addEventListener('abort', stop, { once: true });
    run()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', stop));
  });
}

export const errorOf = (reason: unknown): Error =>
  reason instanceof Error ? reason : new Error(String(reason));
