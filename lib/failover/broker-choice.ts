import type { Broker } from '../amqp/broker.js';
import { ConfigurationError, isConfigurationError } from '../errors.js';
import { urlsFailed } from '../failover.messages.js';
import type { Clock } from '../policy/clock.js';
import type { BrokerCursor } from './broker-cursor.js';
import type { BrokerSource } from './broker-source.js';
import { Patience } from './patience.js';

export interface BrokerChoiceParts {
  readonly source: BrokerSource;
  readonly cursor: BrokerCursor;
  readonly clock: Clock;
  /** How long `urls` may take to answer, in milliseconds. */
  readonly connectTimeout: number;
  readonly warn: (error: Error) => void;
}

/** Whom to dial next: the cursor's broker, of a list that is asked for at the begin of each round where it may change. */
export class BrokerChoice {
  constructor(private readonly parts: BrokerChoiceParts) {}

  /** At once, so that the dial happens in the same turn, unless the list has to be asked for. Never rejects. */
  next(startsRound: boolean, signal: AbortSignal): Broker | Promise<Broker | Error> {
    const { source, cursor } = this.parts;
    const { current } = cursor;
    const known = source.fixed !== undefined || !startsRound;
    return known && current !== undefined ? current : this.#ask(signal);
  }

  /** An old list is better than none. */
  async #ask(signal: AbortSignal): Promise<Broker | Error> {
    const { source, cursor, clock, connectTimeout, warn } = this.parts;
    const late = () => new ConfigurationError(urlsFailed(`no answer within ${connectTimeout} ms`));
    const patience = new Patience(clock, { timeout: connectTimeout, signal }, late);
    try {
      cursor.renew(await patience.race(source.ask()));
    } catch (error) {
      const failure = isConfigurationError(error)
        ? error
        : new ConfigurationError(urlsFailed('it was given up'), { cause: error });
      if (cursor.current === undefined) return failure;
      if (!signal.aborted) warn(failure);
    } finally {
      patience[Symbol.dispose]();
    }
    return cursor.current as Broker;
  }
}
