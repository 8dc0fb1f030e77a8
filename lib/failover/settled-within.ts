import type { Clock } from '../policy/clock.js';

/**
 * Resolves when `promise` has settled, in whatever way; after `timeout` milliseconds, if there is one; or when `signal`
 * aborts. Never rejects, and leaves neither timer nor listener behind.
 */
export function settledWithin(
  clock: Clock,
  timeout: number | undefined,
  signal: AbortSignal,
  promise: Promise<unknown>,
): Promise<void> {
  return new Promise((resolve) => {
    const cancel = timeout === undefined ? undefined : clock.schedule(timeout, () => over());
    const over = (): void => {
      cancel?.();
      signal.removeEventListener('abort', over);
      resolve();
    };
    signal.addEventListener('abort', over, { once: true });
    if (signal.aborted) over();
    promise.then(over, over);
  });
}
