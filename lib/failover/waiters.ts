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

/** What those who wait are told of a failed attempt. */
export interface FailedAttempt {
  /** How many there are in a round. */
  readonly brokers: number;
  /** The last failure of each. */
  readonly failures: readonly BrokerFailure[];
  /** It completed a round in which every broker answered and said no. */
  readonly refused: boolean;
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
  attemptFailed({ brokers, failures, refused }: FailedAttempt): void {
    this.#settle((waiter) => {
      waiter.failures += 1;
      const { maxRetries = Infinity, bearsRefusal } = waiter;
      const told = refused && !bearsRefusal;
      if (!told && waiter.failures < brokers * (maxRetries + 1)) return false;
      const message = refused ? allRefused(failures) : cannotConnect(waiter.failures, failures);
      const cause = failures.at(-1)?.error;
      waiter.reject(new OperationalError(message, waiter.failures, failures, { cause }));
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
