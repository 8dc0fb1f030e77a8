import { ConfigurationError } from '../errors.js';
import type { Binding } from './binding.js';
import type { Channel } from './channel.js';
import { declareQueue } from './declare.js';
import { mergedArguments } from './entity-arguments.js';
import type { Arguments } from './entity-arguments.js';
import { queueName } from './entity.messages.js';
import { Exchange, nameOf } from './exchange.js';
import { optionRefused } from '../option.messages.js';
import { checkOptions } from '../policy/check-options.js';
import { shortString } from './short-string.js';
import { queueArguments } from './queue-arguments.js';
import { queueChecks } from './queue-checks.js';
import type { OnDeclared, QueueOptions } from './queue-options.js';
import { checkQueueType } from './queue-type-rules.js';

/**
 * A queue as it is declared, with its bindings. Immutable. `T` is the type of the bodies that it carries, for typed
 * handlers and publishes. With the name `''` the server gives it one, a new one at each declaration. A queue whose name
 * begins with `amq.` is never declared.
 *
 * @throws ConfigurationError for a name of more than 255 bytes, an unknown option, a refused value, an option that differs
 * from the same key in `arguments`, or what RabbitMQ would refuse for that type of queue
 */
export class Queue<T = unknown> {
  /** Has no value; it carries `T`. */
  declare readonly bodyType?: T;
  readonly name: string;
  /** The default exchange (`''`), to which nothing need be bound, if none was given. */
  readonly exchange: Exchange;
  readonly routingKey: string;
  readonly bindings: readonly Binding[];
  readonly durable: boolean;
  readonly exclusive: boolean;
  readonly autoDelete: boolean;
  readonly noDeclare: boolean;
  readonly passive: boolean;
  /** All of the queue's arguments; the named options are here under their `x-` keys. */
  readonly arguments: Arguments;
  readonly bindingArguments: Arguments;
  readonly consumerArguments: Arguments;
  readonly alias: string | undefined;
  readonly onDeclared: OnDeclared | undefined;

  constructor(name = '', options: QueueOptions = {}) {
    if (!shortString.accepts(name)) {
      throw new ConfigurationError(optionRefused('the name of a queue', name, shortString.allowed));
    }
    const entity = queueName(name);
    checkOptions(entity, options, queueChecks);
    const exchange = options.exchange ?? '';
    this.name = name;
    this.exchange = typeof exchange === 'string' ? new Exchange(exchange) : exchange;
    this.routingKey = options.routingKey ?? '';
    this.bindings = Object.freeze([...(options.bindings ?? [])]);
    this.durable = options.durable ?? true;
    this.exclusive = options.exclusive ?? false;
    this.autoDelete = options.autoDelete ?? this.exclusive;
    this.noDeclare = options.noDeclare ?? false;
    this.passive = options.passive ?? false;
    this.arguments = mergedArguments(entity, options.arguments, { ...options }, queueArguments);
    this.bindingArguments = Object.freeze({ ...options.bindingArguments });
    this.consumerArguments = Object.freeze({ ...options.consumerArguments });
    this.alias = options.alias;
    this.onDeclared = options.onDeclared;
    checkQueueType(entity, this);
    Object.freeze(this);
  }

  /** The value of `x-queue-type`, wherever it was given. */
  get type(): string | undefined {
    const type = this.arguments[queueArguments.type];
    return typeof type === 'string' ? type : undefined;
  }

  /** Where rejected messages go, as far as the declaration says; a policy of the broker may say otherwise. */
  get deadLetterExchange(): string | undefined {
    const exchange = this.arguments[queueArguments.deadLetterExchange];
    return typeof exchange === 'string' ? exchange : undefined;
  }

  /**
   * Declares it, its exchanges and its bindings. What is registered with a connection is declared by itself; this is for
   * `connection.autoretry((channel) => queue.declare(channel))`, as in kombu's guide.
   *
   * @returns its name, which for `''` is the one that the server gave
   * @throws TopologyError when the broker refuses it
   */
  declare(channel: Channel): Promise<string> {
    return declareQueue(channel, this);
  }

  /** Has it take what is published to an exchange. Only here and now: what is to last belongs into its `bindings`. */
  async bindTo(
    channel: Channel,
    exchange: Exchange | string,
    routingKey = '',
    bindingArguments: Arguments = {},
  ): Promise<void> {
    await channel.bindQueue(this.name, nameOf(exchange), routingKey, { ...bindingArguments });
  }

  /** Takes back a binding; one that does not exist is no error. */
  async unbindFrom(
    channel: Channel,
    exchange: Exchange | string,
    routingKey = '',
    bindingArguments: Arguments = {},
  ): Promise<void> {
    await channel.unbindQueue(this.name, nameOf(exchange), routingKey, { ...bindingArguments });
  }

  /** Removes the messages that are with nobody. @returns how many */
  async purge(channel: Channel): Promise<number> {
    return (await channel.purgeQueue(this.name)).messageCount;
  }

  /**
   * Deletes it with its messages; one that does not exist is no error. A consumer of it that runs declares it again.
   *
   * @returns how many messages were in it
   * @throws AmqpError with code 406 when it has consumers and `ifUnused` was given, or messages and `ifEmpty` was
   */
  async delete(
    channel: Channel,
    options: { readonly ifUnused?: boolean; readonly ifEmpty?: boolean } = {},
  ): Promise<number> {
    return (await channel.deleteQueue(this.name, options)).messageCount;
  }

  toString(): string {
    return queueName(this.name);
  }
}
