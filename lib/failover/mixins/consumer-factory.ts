import { resolveChannelConsumerOptions } from '../channel-consumer-options.js';
import type { ChannelConsumerOptions } from '../channel-consumer-options.js';
import type { FailoverConnection } from '../failover-connection.js';
import type { Message } from '../message.js';
import { MessageHandling } from '../message-handling.js';
import type { Queue } from '../../amqp/queue.js';
import type { ConsumerFactory, MixinHost } from './mixin-hooks.js';
import { nameOf } from './mixin-hooks.js';

/** Dropping what cannot be read takes a queue that keeps what is rejected, in a mixin as in a `@Consumer`. */
function undecodableBy<T>(
  host: MixinHost,
  connection: FailoverConnection,
  queues: Queue<T> | readonly Queue<T>[],
  options: ChannelConsumerOptions<T>,
): (message: Message, error: Error) => unknown {
  const handling = new MessageHandling(
    connection.parts,
    {
      name: nameOf(host),
      queues: [],
      handle: () => undefined,
      hooks: { onDecodeError: (message, error) => host.onDecodeError?.(message, error) },
    },
    {
      ...resolveChannelConsumerOptions(queues, options),
      concurrency: 1,
      ackMode: 'manual',
      undecodable: undefined,
      backoff: { start: 1_000, max: 60_000 },
      settleTimeout: 0,
      safetyInterval: 1_000,
    },
  );
  return (message, error) => handling.undecodable(message, error);
}

/** `connection.consumer`, with the mixin's way with what cannot be read. */
export function consumerFactory(host: MixinHost, connection: FailoverConnection): ConsumerFactory {
  return (queues, options = {}) =>
    connection.consumer(queues, {
      ...options,
      onDecodeError: options.onDecodeError ?? undecodableBy(host, connection, queues, options),
    });
}
