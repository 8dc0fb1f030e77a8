import type { Channel } from '../../amqp/channel.js';
import type { Queue } from '../../amqp/queue.js';
import type { ChannelConsumer } from '../channel-consumer.js';
import type { ChannelConsumerOptions } from '../channel-consumer-options.js';
import type { ExtraContext } from '../consumer-hooks.js';
import type { FailoverConnection } from '../failover-connection.js';
import type { Message } from '../message.js';

/**
 * `connection.consumer` of the connection that the mixin consumes on: what cannot be decoded is treated as by a `@Consumer`,
 * unless the options have an `onDecodeError` of their own.
 */
export type ConsumerFactory = <T = unknown>(
  queues: Queue<T> | readonly Queue<T>[],
  options?: ChannelConsumerOptions<T>,
) => ChannelConsumer<T>;

/** The consumers of one session, whatever their messages carry. */
export type MixinConsumers = readonly ChannelConsumer[];

/** The lifecycle of a mixin, in this order. Each hook may be async and is awaited; what it throws is logged and changes nothing. */
export interface MixinHooks {
  /** Each failed attempt to connect, and each loss. `interval`: milliseconds until the next attempt. Not awaited. */
  onConnectionError?(error: Error, interval: number, broker: string): unknown;
  /** After each connect, the first one included. */
  onConnectionRevived?(): unknown;
  /** The consumers consume. What it returns is disposed of when they are to consume no longer. */
  extraContext?(
    connection: FailoverConnection,
    channel: Channel,
  ): ExtraContext | Promise<ExtraContext>;
  /** Consuming, with the extra context in place. */
  onConsumeReady?(
    connection: FailoverConnection,
    channel: Channel,
    consumers: MixinConsumers,
  ): unknown;
  /** Before each wait for a delivery: once a message, and every `safetyInterval` when none comes. */
  onIteration?(): unknown;
  /** A body could not be decoded, or is not in `accept`. The hook may settle the message itself. */
  onDecodeError?(message: Message, error: Error): unknown;
  /** They consume no longer. Always called after `onConsumeReady`; with an error unless the end was asked for. */
  onConsumeEnd?(connection: FailoverConnection, channel: Channel, error?: Error): unknown;
}

/** What the sessions of a mixin ask of it. */
export interface MixinHost extends MixinHooks {
  getConsumers(
    consumer: ConsumerFactory,
    channel: Channel,
  ): MixinConsumers | Promise<MixinConsumers>;
}

/** By which its log lines call it. */
export const nameOf = (host: MixinHost): string => host.constructor.name;
