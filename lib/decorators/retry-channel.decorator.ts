import type { Channel } from '../amqp/channel.js';
import { ConfigurationError } from '../errors.js';
import { RETRY_CHANNEL_METADATA } from '../failover.constants.js';
import { channelNotFilledIn } from '../nest.messages.js';

/**
 * Marks the parameter of an `@EnsureRetry({ channel: true })` method that receives a live channel, a new one on each run;
 * it is closed when the run has ended. Callers leave it out:
 *
 * ```ts
 * @EnsureRetry({ channel: true })
 * async purge(queue: string, @RetryChannel() channel: Channel = liveChannel()) { ... }
 * ```
 */
export const RetryChannel = (): ParameterDecorator => (prototype, method, index) => {
  if (method === undefined) throw new ConfigurationError(channelNotFilledIn());
  const indexes = retryChannels(prototype, method);
  Reflect.defineMetadata(RETRY_CHANNEL_METADATA, [...indexes, index], prototype, method);
};

/** The positions that `@RetryChannel()` marks on this very method. */
export const retryChannels = (prototype: object, method: string | symbol): readonly number[] =>
  (Reflect.getOwnMetadata(RETRY_CHANNEL_METADATA, prototype, method) ?? []) as readonly number[];

/**
 * The default value of a `@RetryChannel()` parameter, so that its type is `Channel` and callers may leave it out.
 *
 * @throws ConfigurationError if the method is called without `@EnsureRetry({ channel: true })` around it
 */
export function liveChannel(): Channel {
  throw new ConfigurationError(channelNotFilledIn());
}
