import { ConfigurationError } from '../errors.js';
import type { Arguments } from './entity-arguments.js';
import { defaultExchangeBinding } from './entity.messages.js';
import type { Exchange } from './exchange.js';
import { optionRefused } from '../option.messages.js';
import { checkOptions, plainObject } from '../policy/check-options.js';
import { shortString } from './short-string.js';

export interface BindingOptions {
  /** Default empty. */
  readonly routingKey?: string | undefined;
  /** For a headers exchange, or an exchange type of a plugin. */
  readonly arguments?: Arguments | undefined;
}

const CHECKS = { routingKey: shortString, arguments: plainObject };

// By its form: the class itself imports this file.
const isExchange = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'name' in value && 'type' in value;

/**
 * What a queue, or another exchange, takes from `exchange`. Immutable.
 *
 * @throws ConfigurationError for an unknown option, a refused value, or what is no exchange or the default one
 */
export class Binding {
  readonly exchange: Exchange;
  readonly routingKey: string;
  readonly arguments: Arguments;

  constructor(exchange: Exchange, options: BindingOptions = {}) {
    checkOptions('a binding', options, CHECKS);
    if (!isExchange(exchange)) {
      throw new ConfigurationError(optionRefused('a binding: exchange', exchange, 'an Exchange'));
    }
    if (exchange.name === '') throw new ConfigurationError(defaultExchangeBinding('a binding'));
    this.exchange = exchange;
    this.routingKey = options.routingKey ?? '';
    this.arguments = Object.freeze({ ...options.arguments });
    Object.freeze(this);
  }
}
