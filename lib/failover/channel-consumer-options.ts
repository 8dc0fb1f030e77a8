import { Queue } from '../amqp/queue.js';
import { callable, checkOptions, flag, listOf } from '../policy/check-options.js';
import { serializerNames } from '../serialization/codec.js';
import { accept, prefetch } from './consumer-options.js';
import type { Message } from './message.js';

/** Gets a decoded body. It may be async; what it throws rejects `drainEvents`. */
export type ConsumerCallback<T = unknown> = (body: T, message: Message<T>) => unknown;

/** How `connection.consumer` consumes. */
export interface ChannelConsumerOptions<T = unknown> {
  /** Called for each message, one after the other; see `registerCallback`. */
  readonly callbacks?: readonly ConsumerCallback<T>[] | undefined;
  /** The content types taken, by the name of their serializer. @default ['json', 'text', 'raw'] */
  readonly accept?: readonly string[] | undefined;
  /** The most messages that are with this consumer and not settled, for each queue. Never unlimited. @default 10 */
  readonly prefetchCount?: number | undefined;
  /** Messages count as settled when they are sent: what is lost on the way is lost. @default false */
  readonly noAck?: boolean | undefined;
  /** Declares its queues before it consumes. @default true */
  readonly autoDeclare?: boolean | undefined;
  /** Told of a message that cannot be decoded, or is not in `accept`. Without it `drainEvents` rejects. */
  readonly onDecodeError?: ((message: Message, error: Error) => unknown) | undefined;
}

/** The same with every default filled in. */
export interface ResolvedChannelConsumerOptions {
  readonly queues: readonly Queue[];
  readonly callbacks: readonly ConsumerCallback[];
  readonly accept: readonly string[];
  readonly prefetchCount: number;
  readonly noAck: boolean;
  readonly autoDeclare: boolean;
  readonly onDecodeError: ((message: Message, error: Error) => unknown) | undefined;
}

const checks = {
  queues: listOf('queues', (one) => one instanceof Queue),
  callbacks: listOf('functions', (one) => typeof one === 'function'),
  accept,
  prefetchCount: prefetch,
  noAck: flag,
  autoDeclare: flag,
  onDecodeError: callable,
} as const;

/** @throws ConfigurationError naming the option, its value and what is allowed */
export function resolveChannelConsumerOptions<T>(
  queues: Queue<T> | readonly Queue<T>[],
  options: ChannelConsumerOptions<T>,
): ResolvedChannelConsumerOptions {
  const list = Array.isArray(queues) ? (queues as readonly Queue[]) : [queues as Queue];
  checkOptions('consumer', { ...options, queues: list }, checks);
  return {
    queues: list,
    callbacks: (options.callbacks ?? []) as readonly ConsumerCallback[],
    accept: options.accept ?? serializerNames,
    prefetchCount: options.prefetchCount ?? 10,
    noAck: options.noAck ?? false,
    autoDeclare: options.autoDeclare ?? true,
    onDecodeError: options.onDecodeError,
  };
}
