import { setMaxListeners } from 'node:events';
import type { Clock } from '../policy/clock.js';

/**
 * One signal may end as many operations as its owner likes; Node warns of a leak from the eleventh listener on. Each is taken
 * away when its operation has ended.
 */
const shared = (signal: AbortSignal): void => setMaxListeners(0, signal);

/** How long one caller is ready to wait. */
export interface PatienceOptions {
  /** Milliseconds, for all of it. Without it there is no limit. */
  readonly timeout?: number | undefined;
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The patience of one caller, over any number of waits. What it waits for goes on without it: a promise that loses the
 * race is still observed, so that its late rejection cannot end the process.
 */
export class Patience implements Disposable {
  readonly #controller = new AbortController();
  readonly #release: () => void;

  constructor(clock: Clock, options: PatienceOptions, onTimeout: () => Error) {
    const { timeout, signal } = options;
    const cancel =
      timeout === undefined
        ? undefined
        : clock.schedule(timeout, () => this.#controller.abort(onTimeout()));
    const aborted = () => this.#controller.abort(signal?.reason);
    if (signal !== undefined) shared(signal);
    signal?.addEventListener('abort', aborted, { once: true });
    if (signal?.aborted === true) aborted();
    this.#release = () => {
      cancel?.();
      signal?.removeEventListener('abort', aborted);
    };
  }

  /** Aborted, with the error that the caller gets, once the patience has ended. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** @throws what the caller gets, once the patience has ended */
  check(): void {
    this.#controller.signal.throwIfAborted();
  }

  /** Settles as `promise` does, or rejects when the patience ends first. */
  race<T>(promise: PromiseLike<T>): Promise<T> {
    const { signal } = this;
    return new Promise<T>((resolve, reject) => {
      const ended = () => reject(signal.reason as Error);
      if (signal.aborted) ended();
      else signal.addEventListener('abort', ended, { once: true });
      const heard = () => signal.removeEventListener('abort', ended);
      promise.then(resolve, reject).then(heard, heard);
    });
  }

  [Symbol.dispose](): void {
    this.#release();
  }
}

/** Resolves after `delay` milliseconds; rejects with the reason of the first of `signals` that aborts before. */
export function pause(
  clock: Clock,
  delay: number,
  ...signals: readonly AbortSignal[]
): Promise<void> {
  for (const signal of signals) shared(signal);
  return new Promise((resolve, reject) => {
    const over = (): void => {
      cancel();
      for (const signal of signals) signal.removeEventListener('abort', aborted);
      resolve();
    };
    const aborted = (): void => {
      // Settles the promise first: what `over` says then is not heard.
      reject(signals.find((signal) => signal.aborted)?.reason as Error);
      over();
    };
    const cancel = clock.schedule(delay, over);
    for (const signal of signals) signal.addEventListener('abort', aborted, { once: true });
    if (signals.some((signal) => signal.aborted)) aborted();
  });
}
