import type { Broker } from '../amqp/broker.js';
import type { BrokerFailure } from '../errors.js';
import { isConnectError } from '../errors.js';
import type { Random } from '../policy/clock.js';
import type { NextAttempt, RoundPolicy } from '../policy/round.js';
import { afterAttempt, afterLoss, freshRound } from '../policy/round.js';
import type { BrokerCursor } from './broker-cursor.js';

/** The name under which a failing `urls` function stands among the brokers. */
export const URLS = 'urls';

/** What became of the attempts since a connection last lived: the round, the last failure of each broker, the cursor. */
export class Attempts {
  #round = freshRound;
  readonly #failures = new Map<string, Error>();

  constructor(
    private readonly policy: RoundPolicy,
    private readonly random: Random,
    private readonly cursor: BrokerCursor,
  ) {}

  /** The number of the attempt that comes next, counted from 1. */
  get next(): number {
    return this.#round.failures + 1;
  }

  get startsRound(): boolean {
    return this.#round.failedNow === 0;
  }

  get size(): number {
    return Math.max(1, this.cursor.brokers.length);
  }

  /** The last failure of each broker, in the order of the attempts. */
  get failures(): readonly BrokerFailure[] {
    return [...this.#failures].map(([broker, error]) => ({ broker, error }));
  }

  /** An attempt failed; without a broker, it was the list of brokers that could not be had. */
  failed(broker: Broker | undefined, error: Error): NextAttempt {
    if (broker !== undefined && !this.cursor.lists(broker)) return this.#unlisted(broker, error);
    const refused = isConnectError(error) && error.reason === 'refused';
    const next = afterAttempt(this.#round, this.size, this.policy, this.random, refused);
    this.#note(broker, error);
    if (broker !== undefined) this.cursor.failed(broker);
    this.#round = next.round;
    return next;
  }

  /** An open connection was lost. */
  lost(broker: Broker, error: Error, lived: boolean): NextAttempt {
    if (!lived && !this.cursor.lists(broker)) return this.#unlisted(broker, error);
    const next = afterLoss(this.#round, lived, this.size, this.policy, this.random);
    this.#note(broker, error);
    this.cursor.lost(broker, lived);
    this.#round = next.round;
    return next;
  }

  /** The counters stay until the connection has lived: a broker that accepts and drops us is no success. */
  connected(broker: Broker): void {
    this.#failures.clear();
    this.cursor.connected(broker);
  }

  startAfresh(): void {
    this.#round = freshRound;
    // The cursor's round begins anew as well; in the middle of one it would repeat brokers before the count is full.
    if (this.cursor.current !== undefined) this.cursor.pointTo(this.cursor.current);
  }

  /** A broker that `switchTo` led to is not one of the round: each of the list is still tried before any wait. */
  #unlisted(broker: Broker, error: Error): NextAttempt {
    this.#note(broker, error);
    this.cursor.failed(broker);
    this.#round = {
      ...this.#round,
      failures: this.#round.failures + 1,
      failedNow: 0,
      refusedNow: 0,
    };
    return { round: this.#round, completesRound: false, refused: false, wait: 0 };
  }

  #note(broker: Broker | undefined, error: Error): void {
    const address = broker?.toString() ?? URLS;
    // Deleted first, so that the map is in the order of the attempts.
    this.#failures.delete(address);
    this.#failures.set(address, error);
  }
}
