import type { BrokerOptions } from '../amqp/broker-options.js';
import { parseBrokers } from '../amqp/broker-address.js';
import type { Broker } from '../amqp/broker.js';
import { ConfigurationError } from '../errors.js';
import { urlsFailed } from '../failover.messages.js';

/** One or more broker addresses: a string with `;` between them, or a list of strings or objects. */
export type BrokerUrls = string | readonly (string | BrokerOptions)[];

/** Addresses, or a function that is asked for them at the begin of each round. */
export type BrokerUrlsSource = BrokerUrls | (() => BrokerUrls | Promise<BrokerUrls>);

export interface BrokerSourceOptions {
  readonly allowMixedSchemes?: boolean | undefined;
}

/** Where the list of brokers comes from. A fixed list is parsed and validated at once. */
export class BrokerSource {
  readonly #fixed: readonly Broker[] | undefined;
  readonly #ask: (() => BrokerUrls | Promise<BrokerUrls>) | undefined;

  constructor(
    urls: BrokerUrlsSource,
    private readonly options: BrokerSourceOptions,
  ) {
    if (typeof urls === 'function') this.#ask = urls;
    else this.#fixed = parseBrokers(urls, options);
  }

  /** The list, if it never changes; else it has to be asked for. */
  get fixed(): readonly Broker[] | undefined {
    return this.#fixed;
  }

  /** Parses one address as a further entry of the list would be; one that the list has is that entry, login included. */
  parse(url: string): Broker {
    const alone = parseBrokers([url], this.options)[0] as Broker;
    const fixed = this.#fixed ?? [];
    const known = fixed.find((broker) => broker.equals(alone));
    return known ?? (parseBrokers([...fixed, url], this.options).at(-1) as Broker);
  }

  /** @throws ConfigurationError when the function fails, or gives something else than broker addresses */
  async ask(): Promise<readonly Broker[]> {
    if (this.#ask === undefined) return this.#fixed ?? [];
    try {
      return parseBrokers(await this.#ask(), this.options);
    } catch (error) {
      throw new ConfigurationError(
        urlsFailed(error instanceof Error ? error.message : 'it threw something that is no Error'),
        { cause: error },
      );
    }
  }
}
