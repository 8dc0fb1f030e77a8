import type { BrokerFailure } from '../errors.js';
import { OperationalError } from '../errors.js';
import { allRefused, cannotConnect } from '../failover.messages.js';
import type { Link } from './link.js';

/** One caller who waits for a connection, and what it is ready to bear. */
export interface Waiter {
  /** Failed rounds after the first; undefined is without limit. */
  readonly maxRetries: number | undefined;
  /** Waits on when every broker refuses. */
  readonly bearsRefusal: boolean;
  readonly resolve: (link: Link) => void;
  readonly reject: (error: Error) => void;
  /** Failed attempts seen by this waiter. */
  failures: number;
}

/** Those who wait beside the one connect loop. Each is told of the outcome by its own measure. */
export class Waiters {
  readonly #waiting = new Set<Waiter>();

  get count(): number {
    return this.#waiting.size;
  }

  add(waiter: Waiter): void {
    this.#waiting.add(waiter);
  }

  delete(waiter: Waiter): void {
    this.#waiting.delete(waiter);
  }

  connected(link: Link): void {
    this.#settle((waiter) => {
      waiter.resolve(link);
      return true;
    });
  }

  /** A round is as many failures as there are brokers, counted from when the waiter came: each is tried for it at least once. */
  attemptFailed(brokers: number, failures: readonly BrokerFailure[]): void {
    this.#settle((waiter) => {
      waiter.failures += 1;
      const { maxRetries } = waiter;
      if (maxRetries === undefined || waiter.failures < brokers * (maxRetries + 1)) return false;
      waiter.reject(
        new OperationalError(cannotConnect(waiter.failures, failures), waiter.failures, failures, {
          cause: failures.at(-1)?.error,
        }),
      );
      return true;
    });
  }

  refused(failures: readonly BrokerFailure[]): void {
    this.#settle((waiter) => {
      if (waiter.bearsRefusal) return false;
      waiter.reject(
        new OperationalError(allRefused(failures), Math.max(1, waiter.failures), failures, {
          cause: failures.at(-1)?.error,
        }),
      );
      return true;
    });
  }

  rejectAll(error: Error): void {
    this.#settle((waiter) => {
      waiter.reject(error);
      return true;
    });
  }

  #settle(isDone: (waiter: Waiter) => boolean): void {
    for (const waiter of this.#waiting) if (isDone(waiter)) this.#waiting.delete(waiter);
  }
}
