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
  #brokers: readonly Broker[] = [];
  #current: Broker | undefined;
  /** Those that failed since one last worked; the latest last, none twice. */
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
    return this.#current;
  }

  /** Takes a list of at least one. The current broker stays, if the list still has it. */
  renew(brokers: readonly Broker[]): void {
    const known = this.#brokers;
    if (
      brokers.length === known.length &&
      brokers.every((broker, i) => known[i]?.equals(broker) === true)
    ) {
      return;
    }
    this.#brokers = brokers;
    this.#failed = [];
    this.#next = undefined;
    const current = this.#current;
    const kept = current && brokers.find((broker) => broker.equals(current));
    this.#current = kept ?? this.#advance();
  }

  /** The broker could not be connected to, or dropped us. A late report, after a sibling's, changes nothing. */
  failed(broker: Broker): void {
    if (broker !== this.#current) return;
    const earlier = this.#failed.length < this.#brokers.length ? this.#failed : [];
    this.#failed = [...earlier.filter((other) => other !== broker), broker];
    this.#current = this.#advance();
  }

  /** The broker is connected to, or is to be tried next. */
  pointTo(broker: Broker): void {
    this.#current = broker;
    this.#failed = [];
  }

  #advance(): Broker {
    try {
      this.#next ??= nextBroker(this.strategy, this.#brokers, this.random);
      return this.#next(this.#failed);
    } catch (cause) {
      // A custom iterator that ends must not end the failover.
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.warn(new ConfigurationError(strategyFailed(reason), { cause }));
      this.#next = nextBroker<Broker>('round-robin', this.#brokers, this.random);
      return this.#next(this.#failed);
    }
  }
}
