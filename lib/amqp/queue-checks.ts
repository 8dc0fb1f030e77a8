import { Binding } from './binding.js';
import { Exchange } from './exchange.js';
import {
  callable,
  count,
  flag,
  listOf,
  oneOf,
  plainObject,
  text,
  wholeNumber,
} from '../policy/check-options.js';
import { shortString } from './short-string.js';
import type { OptionCheck } from '../policy/check-options.js';
import type { QueueOptions } from './queue-options.js';

// RabbitMQ's limit for TTLs and expiries: ten years of 365 days (seen on 3.10).
export const MAX_EXPIRY = 315_360_000_000;

/** What each option of a queue may be. */
export const queueChecks: Readonly<Record<keyof QueueOptions, OptionCheck>> = {
  type: oneOf('classic', 'quorum', 'stream'),
  exchange: {
    allowed: 'an Exchange or its name',
    accepts: (value) => value instanceof Exchange || shortString.accepts(value),
  },
  routingKey: shortString,
  bindings: listOf('bindings', (one) => one instanceof Binding),
  durable: flag,
  exclusive: flag,
  autoDelete: flag,
  noDeclare: flag,
  passive: flag,
  expires: wholeNumber(1, MAX_EXPIRY, 'milliseconds'),
  messageTtl: wholeNumber(0, MAX_EXPIRY, 'milliseconds'),
  maxLength: count(),
  maxLengthBytes: count(),
  maxPriority: wholeNumber(1, 255),
  overflow: oneOf('drop-head', 'reject-publish', 'reject-publish-dlx'),
  deadLetterExchange: shortString,
  deadLetterRoutingKey: shortString,
  deliveryLimit: count(),
  singleActiveConsumer: flag,
  arguments: plainObject,
  bindingArguments: plainObject,
  consumerArguments: plainObject,
  alias: text,
  onDeclared: callable,
};
