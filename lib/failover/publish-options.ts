import type { DeliveryMode } from '../amqp/exchange.js';
import { Exchange } from '../amqp/exchange.js';
import { Queue } from '../amqp/queue.js';
import { MAX_EXPIRY } from '../amqp/queue-checks.js';
import { shortString } from '../amqp/short-string.js';
import { ConfigurationError } from '../errors.js';
import { optionRefused } from '../option.messages.js';
import type { OptionCheck } from '../policy/check-options.js';
import {
  abortSignal,
  callable,
  checkOptions,
  count,
  duration,
  either,
  flag,
  listOf,
  oneOf,
  plainObject,
  text,
  wholeNumber,
} from '../policy/check-options.js';
import type { ErrbackEvent } from './ensure-options.js';
import type { Entity } from './topology.js';

/** Where and how one message is published. Durations are milliseconds. */
export interface PublishOptions<T = unknown> {
  /**
   * Straight into this queue, which is declared before: instead of `exchange` and `routingKey`. The body has to be of its type.
   */
  readonly queue?: Queue<T> | undefined;
  /** An `Exchange` is declared before; a name is taken as it is. @default the default exchange, which routes by queue name */
  readonly exchange?: Exchange | string | undefined;
  /** @default '' */
  readonly routingKey?: string | undefined;
  /** Exchanges and queues to declare before, once a connection. */
  readonly declare?: readonly Entity[] | undefined;
  /** `json`, `text` or `raw`. @default bytes as they are, everything else as JSON */
  readonly serializer?: string | undefined;
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
  /** How long it may stay in a queue. A part of a millisecond counts as a whole one. */
  readonly expiration?: number | undefined;
  /** 0 to 255; for queues with `maxPriority`. */
  readonly priority?: number | undefined;
  /** @default that of the exchange, which is persistent by default */
  readonly deliveryMode?: DeliveryMode | 1 | 2 | undefined;
  /** Rejects with `UnroutableError` when no queue takes it. @default that of the exchange, which is true by default */
  readonly mandatory?: boolean | undefined;
  readonly replyTo?: string | Queue | undefined;
  readonly correlationId?: string | undefined;
  /** @default a new UUID; the same in all attempts */
  readonly messageId?: string | undefined;
  readonly type?: string | undefined;
  readonly appId?: string | undefined;
  readonly userId?: string | undefined;
  /** Seconds since 1970, as AMQP has it. */
  readonly timestamp?: number | undefined;
  /** Replaces that of the serializer. */
  readonly contentType?: string | undefined;
  /** Replaces that of the serializer. */
  readonly contentEncoding?: string | undefined;
  /** False: one attempt, and no waiting for a connection. @default true */
  readonly retry?: boolean | undefined;
  /** False: never sent twice; a loss before the confirm ends it with outcome `unknown`. @default true */
  readonly republish?: boolean | undefined;
  /** The most re-sends. @default no limit but `timeout` */
  readonly maxRetries?: number | undefined;
  /** Told of each attempt that failed while it goes on. */
  readonly errback?: ((event: ErrbackEvent) => unknown) | undefined;
  /** By then it has settled. @default that of the producer, 30_000 */
  readonly timeout?: number | undefined;
  /** Ends it: `not-sent`, or `unknown` if it had been sent. */
  readonly signal?: AbortSignal | undefined;
}

const exchange: OptionCheck = {
  allowed: 'an Exchange',
  accepts: (value) => value instanceof Exchange,
};

const answerQueue: OptionCheck = {
  allowed: "a Queue with a name (for answers without a queue: 'amq.rabbitmq.reply-to')",
  accepts: (value) => value instanceof Queue && value.name !== '',
};

/** RabbitMQ closes the channel over a longer one. */
const expiration: OptionCheck = {
  allowed: `a number of milliseconds from 0 to ${MAX_EXPIRY}`,
  accepts: (value) => duration().accepts(value) && Number(value) <= MAX_EXPIRY,
};

const entities = listOf(
  'exchanges and queues',
  (one) => one instanceof Exchange || one instanceof Queue,
);

const namedQueue: OptionCheck = {
  allowed: 'a Queue with a name, and then neither exchange nor routingKey',
  accepts: (value) => value instanceof Queue && value.name !== '',
};

const publishOptionChecks = {
  queue: namedQueue,
  exchange: either(shortString, exchange),
  routingKey: shortString,
  declare: entities,
  serializer: text,
  headers: plainObject,
  expiration,
  priority: wholeNumber(0, 255),
  deliveryMode: oneOf('persistent', 'transient', 1, 2),
  mandatory: flag,
  replyTo: either(shortString, answerQueue),
  correlationId: shortString,
  messageId: shortString,
  type: shortString,
  appId: shortString,
  userId: shortString,
  timestamp: count(),
  contentType: shortString,
  contentEncoding: shortString,
  retry: flag,
  republish: flag,
  maxRetries: count(),
  errback: callable,
  timeout: duration(1),
  signal: abortSignal,
} as const;

/** @throws ConfigurationError naming the option, its value and what is allowed */
export function checkPublishOptions(options: PublishOptions): void {
  checkOptions('publish', options, publishOptionChecks);
  const { queue: target, exchange: named, routingKey } = options;
  if (target === undefined || (named === undefined && routingKey === undefined)) return;
  throw new ConfigurationError(optionRefused('publish: queue', target, namedQueue.allowed));
}

/** What a producer may hold and how long it tries. Durations are milliseconds. */
export interface ProducerOptions {
  /** For each publish. @default 30_000 */
  readonly timeout?: number | undefined;
  /** The most publishes that are not settled; see also `whenFull`. @default 10_000 */
  readonly maxMessages?: number | undefined;
  /** The most bytes of them, headers and 512 for each included. @default 64 MiB */
  readonly maxBytes?: number | undefined;
  /** When the outbox is full: wait in line for room, as many and as large again as it may hold, or reject at once. @default 'wait' */
  readonly whenFull?: 'wait' | 'reject' | undefined;
  /** The most publishes that are sent and not confirmed. @default 2_000 */
  readonly window?: number | undefined;
  /** How often a publish that the broker nacked is tried again. @default 10 */
  readonly nackRetries?: number | undefined;
  /** The wait before that; doubles each time. @default 100 */
  readonly nackBackoffStart?: number | undefined;
  /** No such wait is longer. @default 5_000 */
  readonly nackBackoffMax?: number | undefined;
  /** Without any confirm for so long, while some are due, the channel is given up; the second time in a row the connection. @default 10_000 */
  readonly confirmTimeout?: number | undefined;
  /** The largest body, in bytes. @default 16 MiB, as in RabbitMQ 4 */
  readonly maxMessageSize?: number | undefined;
}

export type ResolvedProducerOptions = {
  readonly [Key in keyof ProducerOptions]-?: Exclude<ProducerOptions[Key], undefined>;
};

const MEBIBYTE = 1_048_576;

export const producerOptionChecks = {
  timeout: duration(1),
  maxMessages: count(1),
  maxBytes: count(1),
  whenFull: oneOf('wait', 'reject'),
  window: count(1),
  nackRetries: count(),
  nackBackoffStart: duration(1),
  nackBackoffMax: duration(1),
  confirmTimeout: duration(1),
  maxMessageSize: count(1),
} as const;

/** @throws ConfigurationError naming the option, its value and what is allowed */
export function resolveProducerOptions(options: ProducerOptions): ResolvedProducerOptions {
  checkOptions('Producer', options, producerOptionChecks);
  return {
    timeout: options.timeout ?? 30_000,
    maxMessages: options.maxMessages ?? 10_000,
    maxBytes: options.maxBytes ?? 64 * MEBIBYTE,
    whenFull: options.whenFull ?? 'wait',
    window: options.window ?? 2_000,
    nackRetries: options.nackRetries ?? 10,
    nackBackoffStart: options.nackBackoffStart ?? 100,
    nackBackoffMax: options.nackBackoffMax ?? 5_000,
    confirmTimeout: options.confirmTimeout ?? 10_000,
    maxMessageSize: options.maxMessageSize ?? 16 * MEBIBYTE,
  };
}
