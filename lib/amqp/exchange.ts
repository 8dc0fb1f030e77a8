import { ConfigurationError } from '../errors.js';
import { Binding } from './binding.js';
import type { Channel } from './channel.js';
import { declareExchange } from './declare.js';
import { mergedArguments } from './entity-arguments.js';
import type { Arguments } from './entity-arguments.js';
import { defaultExchangeType, exchangeName } from './entity.messages.js';
import { optionRefused } from '../option.messages.js';
import { checkOptions, flag, listOf, oneOf, plainObject } from '../policy/check-options.js';
import { shortString } from './short-string.js';
import type { OptionCheck } from '../policy/check-options.js';

/** The types every broker has; those of plugins (`x-delayed-message`, `x-consistent-hash`) are allowed as well. */
export type ExchangeType = 'direct' | 'topic' | 'fanout' | 'headers' | (string & {});

export type DeliveryMode = 'persistent' | 'transient';

/** An unknown option is refused. */
export interface ExchangeOptions {
  /** Default `direct`. */
  readonly type?: ExchangeType | undefined;
  /** Outlives a restart of the broker. Default true. */
  readonly durable?: boolean | undefined;
  /** Deleted when the last queue is unbound. Default false. */
  readonly autoDelete?: boolean | undefined;
  /** Takes messages from other exchanges only. Default false. */
  readonly internal?: boolean | undefined;
  /** Only checked, never created. Default false. */
  readonly passive?: boolean | undefined;
  /** Neither created nor checked nor bound. Default false. */
  readonly noDeclare?: boolean | undefined;
  /** Of the messages that are published to it; 2 is persistent, 1 transient. Default `persistent`. */
  readonly deliveryMode?: DeliveryMode | 1 | 2 | undefined;
  /** Whether a publish to it that no queue takes is an error. Default true. */
  readonly mandatory?: boolean | undefined;
  /** The exchange that takes what no queue took. */
  readonly alternateExchange?: string | undefined;
  readonly arguments?: Arguments | undefined;
  /** The exchanges this one takes messages from. */
  readonly bindings?: readonly Binding[] | undefined;
}

const CHECKS: Readonly<Record<keyof ExchangeOptions, OptionCheck>> = {
  type: {
    allowed: 'direct, topic, fanout, headers or the type of a plugin',
    accepts: (value) => value !== '' && shortString.accepts(value),
  },
  durable: flag,
  autoDelete: flag,
  internal: flag,
  passive: flag,
  noDeclare: flag,
  deliveryMode: oneOf('persistent', 'transient', 1, 2),
  mandatory: flag,
  alternateExchange: shortString,
  arguments: plainObject,
  bindings: listOf('bindings', (one) => one instanceof Binding),
};

/**
 * An exchange as it is declared. Immutable. The default exchange (`''`) and those that begin with `amq.` exist on every
 * broker and are never declared.
 *
 * @throws ConfigurationError for a name of more than 255 bytes, an unknown option or a refused value
 */
export class Exchange {
  readonly name: string;
  readonly type: ExchangeType;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly internal: boolean;
  readonly passive: boolean;
  readonly noDeclare: boolean;
  readonly deliveryMode: DeliveryMode;
  readonly mandatory: boolean;
  /** With `alternate-exchange`, if there is one. */
  readonly arguments: Arguments;
  readonly bindings: readonly Binding[];

  constructor(name: string, options: ExchangeOptions = {}) {
    if (!shortString.accepts(name)) {
      throw new ConfigurationError(
        optionRefused('the name of an exchange', name, shortString.allowed),
      );
    }
    const entity = exchangeName(name);
    checkOptions(entity, options, CHECKS);
    this.name = name;
    this.type = options.type ?? 'direct';
    if (name === '' && this.type !== 'direct') {
      throw new ConfigurationError(defaultExchangeType(this.type));
    }
    this.durable = options.durable ?? true;
    this.autoDelete = options.autoDelete ?? false;
    this.internal = options.internal ?? false;
    this.passive = options.passive ?? false;
    this.noDeclare = options.noDeclare ?? false;
    this.deliveryMode =
      options.deliveryMode === 1 || options.deliveryMode === 'transient'
        ? 'transient'
        : 'persistent';
    this.mandatory = options.mandatory ?? true;
    this.arguments = mergedArguments(
      entity,
      options.arguments,
      { ...options },
      {
        alternateExchange: 'alternate-exchange',
      },
    );
    this.bindings = Object.freeze([...(options.bindings ?? [])]);
    Object.freeze(this);
  }

  /** @returns what binds a queue or another exchange to this one */
  binding(routingKey = '', bindingArguments?: Arguments): Binding {
    return new Binding(this, { routingKey, arguments: bindingArguments });
  }

  /** Declares it and what it is bound to. @throws TopologyError when the broker refuses it */
  declare(channel: Channel): Promise<void> {
    return declareExchange(channel, this);
  }

  /** Has it take what is published to another one. Only here and now: what is to last belongs into its `bindings`. */
  async bindTo(
    channel: Channel,
    exchange: Exchange | string,
    routingKey = '',
    bindingArguments: Arguments = {},
  ): Promise<void> {
    await channel.bindExchange(this.name, nameOf(exchange), routingKey, { ...bindingArguments });
  }

  /** Takes back a binding; one that does not exist is no error. */
  async unbindFrom(
    channel: Channel,
    exchange: Exchange | string,
    routingKey = '',
    bindingArguments: Arguments = {},
  ): Promise<void> {
    await channel.unbindExchange(this.name, nameOf(exchange), routingKey, { ...bindingArguments });
  }

  /** Deletes it; one that does not exist is no error. @throws AmqpError with code 406 when something is bound to it and `ifUnused` was given */
  async delete(channel: Channel, options: { readonly ifUnused?: boolean } = {}): Promise<void> {
    await channel.deleteExchange(this.name, options);
  }

  toString(): string {
    return exchangeName(this.name);
  }
}

/** The name of what was given as an exchange, or as the name of one. */
export const nameOf = (exchange: Exchange | string): string =>
  typeof exchange === 'string' ? exchange : exchange.name;
