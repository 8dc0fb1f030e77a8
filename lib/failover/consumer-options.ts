import { Queue } from '../amqp/queue.js';
import type { BackoffPolicy } from '../policy/backoff.js';
import type { OptionCheck } from '../policy/check-options.js';
import { checkOptions, count, duration, oneOf, wholeNumber } from '../policy/check-options.js';
import { serializerNames } from '../serialization/codec.js';
import type { AckMode, ConsumerOptions } from './consumer-definition.js';

/** A consumer's options with every default filled in. */
export interface ResolvedConsumerOptions {
  readonly queues: readonly Queue[];
  readonly prefetchCount: number;
  readonly concurrency: number;
  readonly ackMode: AckMode;
  readonly accept: readonly string[];
  readonly undecodable: 'reject' | 'requeue' | undefined;
  readonly backoff: BackoffPolicy;
  readonly settleTimeout: number;
  readonly safetyInterval: number;
}

// AMQP's prefetch-count is a short; 0 would mean unlimited, and with it unbounded memory.
const MOST_PREFETCH = 65_535;

export const prefetch: OptionCheck = {
  allowed: `a whole number from 1 to ${MOST_PREFETCH}; unlimited is not offered`,
  accepts: wholeNumber(1, MOST_PREFETCH).accepts,
};

const queues: OptionCheck = {
  allowed: 'a list of at least one Queue, each once',
  accepts: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((one) => one instanceof Queue) &&
    new Set(value.map((queue: Queue) => (queue.name === '' ? queue : queue.name))).size ===
      value.length,
};

export const accept: OptionCheck = {
  allowed: `a list of at least one of ${serializerNames.join(', ')}`,
  accepts: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((name) => serializerNames.includes(String(name))),
};

const consumerOptionChecks = {
  queues,
  prefetchCount: prefetch,
  concurrency: count(1),
  ackMode: oneOf('auto', 'manual'),
  accept,
  undecodable: oneOf('reject', 'requeue'),
  backoffStart: duration(1),
  backoffMax: duration(1),
  settleTimeout: duration(),
  safetyInterval: duration(1),
} as const;

/** @throws ConfigurationError naming the consumer, the option, its value and what is allowed */
export function resolveConsumerOptions(
  name: string,
  options: ConsumerOptions,
): ResolvedConsumerOptions {
  checkOptions(name, { ...options, queues: options.queues ?? [] }, consumerOptionChecks);
  const { prefetchCount = 10 } = options;
  return {
    queues: options.queues,
    prefetchCount,
    concurrency: options.concurrency ?? prefetchCount * options.queues.length,
    ackMode: options.ackMode ?? 'auto',
    accept: options.accept ?? serializerNames,
    undecodable: options.undecodable,
    backoff: { start: options.backoffStart ?? 1_000, max: options.backoffMax ?? 60_000 },
    settleTimeout: options.settleTimeout ?? 30_000,
    safetyInterval: options.safetyInterval ?? 1_000,
  };
}
