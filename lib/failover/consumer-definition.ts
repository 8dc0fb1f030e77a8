import type { Queue } from '../amqp/queue.js';
import type { ConsumerHooks } from './consumer-hooks.js';
import type { Message } from './message.js';
import type { Router } from './message-routes.js';

/** `auto`: a handler that resolves acks, one that throws requeues after a backoff. `manual`: the handler settles the message. */
export type AckMode = 'auto' | 'manual';

/** How a consumer takes messages. Durations are milliseconds. */
export interface ConsumerOptions<T = unknown> {
  /** The queues it consumes from, on one channel. At least one. */
  readonly queues: readonly Queue<T>[];
  /** The most messages that are with this consumer and not settled, for each queue. Never unlimited. @default 10 */
  readonly prefetchCount?: number | undefined;
  /** The most handlers that run at once. @default `prefetchCount` for each queue */
  readonly concurrency?: number | undefined;
  /** @default 'auto' */
  readonly ackMode?: AckMode | undefined;
  /** The content types taken, by the name of their serializer. @default ['json', 'text', 'raw'] */
  readonly accept?: readonly string[] | undefined;
  /**
   * What becomes of a message that cannot be decoded, or is not in `accept`: `reject` dead-letters it, or drops it if the
   * queue has no dead-letter exchange; `requeue` hands it back after a backoff. @default 'reject' if the declaration of its
   * queue names a dead-letter exchange, else 'requeue'
   */
  readonly undecodable?: 'reject' | 'requeue' | undefined;
  /** The wait before a message whose handler threw is handed back; doubles with each attempt. @default 1_000 */
  readonly backoffStart?: number | undefined;
  /** No such wait is longer. @default 60_000 */
  readonly backoffMax?: number | undefined;
  /**
   * After a loss, how long redelivered and republished messages wait for the handlers of the lost channel, so that a message
   * does not run beside its own first run. @default 30_000
   */
  readonly settleTimeout?: number | undefined;
  /** How often `onIteration` is called. @default 1_000 */
  readonly safetyInterval?: number | undefined;
}

/** Gets a decoded body. What it returns is awaited; it may throw. Never called inside the stack of a socket. */
export type Handler<T = unknown> = (body: T, message: Message<T>) => unknown;

/** One consumer, ready to run: what it consumes, and who handles it. */
export interface ConsumerDefinition<T = unknown> extends ConsumerOptions<T> {
  /** Names the consumer in logs and errors, as in `OrderConsumer`. */
  readonly name: string;
  /** Handles every message. Either this or `route`. */
  readonly handle?: Handler<T> | undefined;
  /** Finds the handler of a message; a message without one is treated as undecodable. */
  readonly route?: Router<Handler> | undefined;
  readonly hooks?: ConsumerHooks | undefined;
}
