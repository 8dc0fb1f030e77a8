import type { Broker } from '../amqp/broker.js';
import { ConfigurationError } from '../errors.js';
import { strategyFailed } from '../failover.messages.js';
import type { Random } from '../policy/clock.js';
import type { FailoverStrategy, NextBroker } from '../policy/strategy.js';
import { nextBroker } from '../policy/strategy.js';

/**
 * Which broker of the list is the one to be on. A connection and its clones share one cursor, so that an app does not
 * publish to one broker and consume from another. The cursor says which broker; the connect loop says when.
 */
export class BrokerCursor {
  /** As the strategy knows them. */
  #listed: readonly Broker[] = [];
  /** The same addresses, as they were given last: a login may have been rotated. */
  #brokers: readonly Broker[] = [];
  #current: Broker | undefined;
  /** Those of the list that failed in the round so far; the latest last, none twice. */
  #failed: readonly Broker[] = [];
  #next: NextBroker<Broker> | undefined;

  constructor(
    private readonly strategy: FailoverStrategy<Broker>,
    private readonly random: Random,
    private readonly warn: (error: Error) => void,
  ) {}

  get brokers(): readonly Broker[] {
    return this.#brokers;
  }

  /** The broker to dial. Undefined until there is a list. */
  get current(): Broker | undefined {
    const current = this.#current;
    return current && (this.#brokers.find((broker) => broker.equals(current)) ?? current);
  }

  /** Whether it is one of the list; `switchTo` may lead to others. */
  lists(broker: Broker): boolean {
    return this.#brokers.some((known) => known.equals(broker));
  }

  /** Takes a list of at least one. The current broker stays, if the list still has it. */
  renew(brokers: readonly Broker[]): void {
    const known = this.#listed;
    this.#brokers = brokers;
    if (
      brokers.length === known.length &&
      brokers.every((broker, i) => known[i]?.equals(broker) === true)
    ) {
      return;
    }
    this.#listed = brokers;
    this.#failed = [];
    this.#next = undefined;
    const current = this.#current;
    // What was chosen before there was a list is to be tried first, even if the list does not have it.
    const chosen = known.length === 0 ? current : undefined;
    const kept = current && brokers.find((broker) => broker.equals(current));
    this.#current = kept ?? chosen ?? this.#after(current);
  }

  /** The broker could not be connected to. A late report, after a sibling's, changes nothing. */
  failed(broker: Broker): void {
    const current = this.#current;
    if (current?.equals(broker) !== true) return;
    // One that `switchTo` led to is no part of the round.
    if (this.#listed.includes(current) && !this.#failed.includes(current)) {
      this.#failed = [...this.#failed, current];
    }
    if (this.#failed.length >= this.#listed.length) this.#failed = [];
    this.#current = this.#after(current);
  }

  /** The connection to the broker was lost. One that had lived begins a new round, any other is a failure of this one. */
  lost(broker: Broker, lived: boolean): void {
    const current = this.#current;
    if (!lived) return this.failed(broker);
    if (current?.equals(broker) !== true) return;
    this.#failed = [];
    this.#current = this.#after(current);
  }

  /** The round goes on until the connection has lived, so that brokers which accept and drop us cannot starve a healthy one. */
  connected(broker: Broker): void {
    if (this.#current?.equals(broker) !== true) this.#current = this.#asListed(broker);
  }

  /** The broker is to be tried next, whatever failed before. */
  pointTo(broker: Broker): void {
    this.#current = this.#asListed(broker);
    this.#failed = [];
  }

  #asListed(broker: Broker): Broker {
    return this.#listed.find((known) => known.equals(broker)) ?? broker;
  }

  #after(last: Broker | undefined): Broker | undefined {
    if (this.#listed.length === 0) return undefined;
    try {
      this.#next ??= nextBroker(this.strategy, this.#listed, this.random);
      return this.#next(this.#failed, last);
    } catch (cause) {
      // A custom iterator that ends must not end the failover.
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.warn(new ConfigurationError(strategyFailed(reason), { cause }));
      this.#next = nextBroker<Broker>('round-robin', this.#listed, this.random);
      return this.#next(this.#failed, last);
    }
  }
}
