import type { ConsumeMessage, GetMessage, Message as AmqpMessage, Options, Replies } from 'amqplib';
import type { AmqpError } from '../errors.js';
import type { BrokerConnection } from './transport.js';

/** A confirmation of one publish, or with `multiple` of all up to it. */
export interface Confirmation {
  readonly deliveryTag: number;
  readonly multiple: boolean;
}

/** The events of a channel. A listener that throws is reported to the log and changes nothing. */
export interface ChannelEvents {
  /** The channel is closed; once. Own `close()` included. */
  close: (loss: AmqpError) => void;
  /** A mandatory message came back, before its own confirmation. */
  return: (message: AmqpMessage) => void;
  /** After `publish` said false: there is room again. */
  drain: () => void;
  /** The broker cancelled a consumer. */
  cancel: (consumerTag: string) => void;
  ack: (confirmation: Confirmation) => void;
  nack: (confirmation: Confirmation) => void;
}

/**
 * A channel with the method names and types of amqplib's promise API. Each failure, thrown or rejected, is an `AmqpError`
 * that knows this channel, so that `ensure` can tell it from the caller's own errors. Promises settle: within the RPC
 * deadline, or when the connection ends.
 */
export interface Channel {
  readonly connection: BrokerConnection;
  /** Why the channel ended; undefined while it lives. Set before any listener or promise tells of it. */
  readonly loss: AmqpError | undefined;

  assertQueue(queue?: string, options?: Options.AssertQueue): Promise<Replies.AssertQueue>;
  checkQueue(queue: string): Promise<Replies.AssertQueue>;
  deleteQueue(queue: string, options?: Options.DeleteQueue): Promise<Replies.DeleteQueue>;
  purgeQueue(queue: string): Promise<Replies.PurgeQueue>;
  bindQueue(
    queue: string,
    source: string,
    pattern: string,
    args?: Record<string, unknown>,
  ): Promise<Replies.Empty>;
  unbindQueue(
    queue: string,
    source: string,
    pattern: string,
    args?: Record<string, unknown>,
  ): Promise<Replies.Empty>;
  assertExchange(
    exchange: string,
    type: string,
    options?: Options.AssertExchange,
  ): Promise<Replies.AssertExchange>;
  checkExchange(exchange: string): Promise<Replies.Empty>;
  deleteExchange(exchange: string, options?: Options.DeleteExchange): Promise<Replies.Empty>;
  bindExchange(
    destination: string,
    source: string,
    pattern: string,
    args?: Record<string, unknown>,
  ): Promise<Replies.Empty>;
  unbindExchange(
    destination: string,
    source: string,
    pattern: string,
    args?: Record<string, unknown>,
  ): Promise<Replies.Empty>;

  /** @returns false when the channel's buffer is full; the message is queued all the same */
  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options?: Options.Publish,
  ): boolean;
  /** @returns false when the channel's buffer is full; the message is queued all the same */
  sendToQueue(queue: string, content: Buffer, options?: Options.Publish): boolean;

  /** `onMessage` gets null when the broker cancels the consumer. It is never called inside amqplib's own calls' failure path. */
  consume(
    queue: string,
    onMessage: (message: ConsumeMessage | null) => void,
    options?: Options.Consume,
  ): Promise<Replies.Consume>;
  cancel(consumerTag: string): Promise<Replies.Cancel>;
  get(queue: string, options?: Options.Get): Promise<GetMessage | false>;
  prefetch(count: number, global?: boolean): Promise<Replies.Empty>;
  recover(): Promise<Replies.Empty>;

  ack(message: AmqpMessage, allUpTo?: boolean): void;
  ackAll(): void;
  nack(message: AmqpMessage, allUpTo?: boolean, requeue?: boolean): void;
  nackAll(requeue?: boolean): void;
  reject(message: AmqpMessage, requeue?: boolean): void;

  on<E extends keyof ChannelEvents>(event: E, listener: ChannelEvents[E]): this;
  off<E extends keyof ChannelEvents>(event: E, listener: ChannelEvents[E]): this;

  /** Closes by handshake, which flushes what was written, within the close deadline. Never rejects; idempotent. */
  close(): Promise<void>;
}

/** A channel in confirm mode: each publish is answered by an `ack` or `nack` event with its number, counted from 1. */
export interface ConfirmChannel extends Channel {
  /** Resolves when everything published so far is confirmed; rejects with an `AmqpError` on a nack or when the channel ends. */
  waitForConfirms(): Promise<void>;
}

/** The properties of a message that is published, with the names and types of amqplib. */
export type PublishProperties = Options.Publish;

/** A message as the broker delivered it. */
export type Delivery = ConsumeMessage;
