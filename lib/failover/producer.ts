import { randomUUID } from 'node:crypto';
import { Exchange } from '../amqp/exchange.js';
import type { PublishOutcome } from '../errors.js';
import { OutboxFullError, PublishError } from '../errors.js';
import {
  bodyTooLarge,
  noConnectionNow,
  notConfirmed,
  outboxFull,
  producerClosed,
  publishAborted,
} from '../failover.messages.js';
import { checkOptions, duration } from '../policy/check-options.js';
import { encodeBody } from '../serialization/codec.js';
import type { EncodedBody } from '../serialization/serializer.js';
import { encodableHeaders } from '../serialization/headers.js';
import type { ConnectionParts } from './connection-parts.js';
import type { FailoverConnection } from './failover-connection.js';
import { OutboxEntry } from './outbox-entry.js';
import type { OutgoingMessage, PublishPolicy, PublishReceipt } from './outbox-entry.js';
import { PublishLoop } from './publish-loop.js';
import type {
  ProducerOptions,
  PublishOptions,
  ResolvedProducerOptions,
} from './publish-options.js';
import { checkPublishOptions, resolveProducerOptions } from './publish-options.js';
import type { Entity } from './topology.js';

/** Properties that go to the broker as they were given. */
const passedOn = ['priority', 'correlationId', 'type', 'appId', 'userId', 'timestamp'] as const;

/**
 * Publishes, and tells the truth about it: the promise of `publish` resolves only when a broker has confirmed the message and
 * a queue took it, on whichever broker that was in the end.
 */
export class Producer implements AsyncDisposable {
  readonly #parts: ConnectionParts;
  readonly #options: ResolvedProducerOptions;
  readonly #loop: PublishLoop;
  /** Exchanges and queues that are registered already. */
  readonly #registered = new WeakSet<Entity>();
  #count = 0;
  #closing: Promise<void> | undefined;

  /** @throws ConfigurationError naming the option, its value and what is allowed */
  constructor(connection: FailoverConnection, options: ProducerOptions = {}) {
    this.#options = resolveProducerOptions(options);
    this.#parts = connection.parts;
    this.#loop = new PublishLoop(this.#parts, this.#options);
  }

  /**
   * Publishes a message. It settles once, within its `timeout`, and survives the death of a broker: it is published again on
   * the next one under the same `messageId`, marked with the header `x-republished`.
   *
   * @returns what is known of the confirmed message
   * @throws PublishError whose `outcome` says what is known of a message that is not confirmed
   * @throws UnroutableError no queue took it, and it is mandatory
   * @throws OutboxFullError there is no room for it
   * @throws SerializationError the body or a header cannot be encoded; nothing was sent
   * @throws ConfigurationError an option is refused; nothing was sent
   */
  async publish(body: unknown, options: PublishOptions = {}): Promise<PublishReceipt> {
    checkPublishOptions(options);
    const message = this.#encode(body, options);
    const { messageId } = message;
    const refuse = (why: string): PublishError => {
      const outcome: PublishOutcome = 'not-sent';
      return new PublishError(notConfirmed(messageId, outcome, why), outcome, messageId);
    };
    if (this.#closing !== undefined) throw refuse(producerClosed());
    const { length } = message.content;
    const { maxMessageSize } = this.#options;
    if (length > maxMessageSize) throw refuse(bodyTooLarge(length, maxMessageSize));
    if (options.signal?.aborted === true) throw refuse(publishAborted());
    if (options.retry === false && this.#parts.loop.link === undefined) {
      throw refuse(noConnectionNow());
    }
    this.#register(options);
    return this.#enqueue(message, options);
  }

  /**
   * Waits until all publishes have settled, at most `timeout` milliseconds; what is left then rejects with what is known of
   * it. From now on `publish` rejects with outcome `not-sent`. Idempotent; never rejects.
   */
  close({ timeout = 2_000 }: { readonly timeout?: number } = {}): Promise<void> {
    checkOptions('Producer.close', { timeout }, { timeout: duration() });
    this.#closing ??= this.#close(timeout);
    return this.#closing;
  }

  /**
   * Does nothing, and is here so that kombu's `connection.ensure(producer, producer.publish)` can be written: a producer finds
   * a channel of its own on whichever broker is connected.
   */
  revive(): void {}

  async #close(timeout: number): Promise<void> {
    const late = new AbortController();
    const cancel = this.#parts.clock.schedule(timeout, () => late.abort());
    await this.#loop.stop(late.signal, producerClosed());
    cancel();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #enqueue(message: OutgoingMessage, options: PublishOptions): Promise<PublishReceipt> {
    const { outbox } = this.#loop;
    return new Promise((resolve, reject) => {
      const policy = this.#policy(options);
      const deadline = this.#parts.clock.now() + policy.timeout;
      this.#count += 1;
      const entry = new OutboxEntry(this.#count, message, policy, deadline, resolve, reject);
      if (!outbox.hasRoom(entry.size)) {
        const why = outboxFull(outbox.messages, outbox.bytes);
        const text = notConfirmed(message.messageId, 'not-sent', why);
        reject(new OutboxFullError(text, 'not-sent', message.messageId));
        return;
      }
      if (options.signal !== undefined) this.#heed(options.signal, entry);
      this.#loop.add(entry);
    });
  }

  #heed(signal: AbortSignal, entry: OutboxEntry): void {
    const aborted = () => {
      if (!entry.settled) this.#loop.giveUp(entry, publishAborted(), signal.reason);
    };
    signal.addEventListener('abort', aborted, { once: true });
    entry.onSettled = () => signal.removeEventListener('abort', aborted);
  }

  #policy({ timeout, retry, republish, maxRetries, errback }: PublishOptions): PublishPolicy {
    return {
      timeout: timeout ?? this.#options.timeout,
      maxRetries: retry === false ? 0 : maxRetries,
      republish: republish ?? true,
      errback,
    };
  }

  /** What is published to, and what the caller wants declared, joins the topology of the connection. */
  #register({ exchange, declare }: PublishOptions): void {
    if (declare === undefined && !(exchange instanceof Exchange)) return;
    const entities = [...(declare ?? [])];
    if (exchange instanceof Exchange) entities.push(exchange);
    const fresh = entities.filter((entity) => !this.#registered.has(entity));
    if (fresh.length === 0) return;
    this.#parts.topology.add(...fresh);
    for (const entity of fresh) this.#registered.add(entity);
    this.#loop.declareFirst();
  }

  #encode(body: unknown, options: PublishOptions): OutgoingMessage {
    const { exchange = '', routingKey = '', messageId = randomUUID() } = options;
    const target = typeof exchange === 'string' ? undefined : exchange;
    const encoded = encodeBody(body, options.serializer);
    return {
      messageId,
      exchange: typeof exchange === 'string' ? exchange : exchange.name,
      routingKey,
      content: encoded.content,
      properties: propertiesOf(messageId, encoded, target, options),
    };
  }
}

function propertiesOf(
  messageId: string,
  encoded: EncodedBody,
  exchange: Exchange | undefined,
  options: PublishOptions,
): OutgoingMessage['properties'] {
  const { expiration, replyTo, deliveryMode = exchange?.deliveryMode ?? 'persistent' } = options;
  const properties: OutgoingMessage['properties'] = {
    messageId,
    contentType: options.contentType ?? encoded.contentType,
    contentEncoding: options.contentEncoding ?? encoded.contentEncoding,
    headers: encodableHeaders(options.headers ?? {}),
    mandatory: options.mandatory ?? exchange?.mandatory ?? true,
    deliveryMode: deliveryMode === 'persistent' || deliveryMode === 2 ? 2 : 1,
  };
  for (const key of passedOn) {
    if (options[key] !== undefined) Object.assign(properties, { [key]: options[key] });
  }
  // A part of a millisecond counts as a whole one: 0 would expire at once, in front of the consumer.
  if (expiration !== undefined) properties.expiration = String(Math.ceil(expiration));
  if (replyTo !== undefined) {
    properties.replyTo = typeof replyTo === 'string' ? replyTo : replyTo.name;
  }
  return properties;
}
