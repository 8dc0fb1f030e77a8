import { randomUUID } from 'node:crypto';
import { errorOf } from '../amqp/deadline.js';
import { declarationKey } from '../amqp/declaration-key.js';
import { Exchange } from '../amqp/exchange.js';
import {
  ConfigurationError,
  OutboxFullError,
  PublishError,
  isSerializationError,
} from '../errors.js';
import {
  bodyTooLarge,
  noConnectionNow,
  notConfirmed,
  outboxFull,
  producerClosed,
  publishAborted,
  noConnectionGiven,
} from '../publish.messages.js';
import { checkOptions, duration } from '../policy/check-options.js';
import type { ConnectionParts } from './connection-parts.js';
import type { FailoverConnection } from './failover-connection.js';
import { OutboxEntry } from './outbox-entry.js';
import { outgoingMessage } from './outgoing-message.js';
import type { OutgoingMessage, PublishPolicy, PublishReceipt } from './outbox-entry.js';
import { PublishLoop } from './publish-loop.js';
import type {
  ProducerOptions,
  PublishOptions,
  ResolvedProducerOptions,
} from './publish-options.js';
import { checkPublishOptions, resolveProducerOptions } from './publish-options.js';
import type { Entity } from './topology.js';

/**
 * Publishes, and tells the truth about it: the promise of `publish` resolves only when a broker has confirmed the message and
 * a queue took it, on whichever broker that was in the end.
 */
export class Producer implements AsyncDisposable {
  readonly #parts: ConnectionParts;
  readonly #options: ResolvedProducerOptions;
  /** Of a publish without options about it. */
  readonly #usualPolicy: PublishPolicy;
  readonly #loop: PublishLoop;
  /** Exchanges and queues that are registered already, also as what another object declares in the same words. */
  readonly #registered = new WeakSet<Entity>();
  readonly #declarations = new Set<string>();
  #count = 0;
  #closing: Promise<void> | undefined;

  /** @throws ConfigurationError naming the option, its value and what is allowed */
  constructor(connection: FailoverConnection, options: ProducerOptions = {}) {
    if (typeof (connection as FailoverConnection | undefined)?.parts !== 'object') {
      throw new ConfigurationError(noConnectionGiven('Producer'));
    }
    this.#options = resolveProducerOptions(options);
    this.#parts = connection.parts;
    this.#usualPolicy = {
      timeout: this.#options.timeout,
      maxRetries: undefined,
      republish: true,
      waits: true,
      errback: undefined,
    };
    this.#loop = new PublishLoop(this.#parts, this.#options);
  }

  /** What has not settled, of the `maxMessages` and `maxBytes` that may be held; twice as much with `whenFull: 'wait'`. */
  get pending(): { readonly messages: number; readonly bytes: number } {
    const { messages, bytes } = this.#loop.outbox;
    return { messages, bytes };
  }

  /**
   * Publishes a message. It settles once, within its `timeout`, and survives the death of a broker: it is published again on
   * the next one under the same `messageId`, marked with the header `x-republished`.
   *
   * @param body of the type of `queue`, if that is given; it is written at once, once; but bytes are not copied, so leave them as they are until it has settled
   * @returns what is known of the confirmed message
   * @throws PublishError whose `outcome` says what is known of a message that is not confirmed; what cannot be encoded is
   * `not-sent`, with a `SerializationError` as its cause that names the key
   * @throws UnroutableError no queue took it, and it is mandatory
   * @throws OutboxFullError there is no room for it
   * @throws ConfigurationError an option is refused; nothing was sent
   */
  publish<T = unknown>(body: NoInfer<T>, options: PublishOptions<T> = {}): Promise<PublishReceipt> {
    // Not an async function: that would be one more promise a message.
    try {
      return this.#publish(body, options);
    } catch (error) {
      return Promise.reject(errorOf(error));
    }
  }

  /** @throws all that publish() rejects with before there is anything to wait for */
  #publish(body: unknown, options: PublishOptions): Promise<PublishReceipt> {
    checkPublishOptions(options);
    const { messageId = randomUUID() } = options;
    if (this.#closing !== undefined) throw notSent(messageId, producerClosed());
    const message = encoded(messageId, body, options);
    const { length } = message.content;
    const { maxMessageSize } = this.#options;
    if (length > maxMessageSize) throw notSent(messageId, bodyTooLarge(length, maxMessageSize));
    if (options.signal?.aborted === true) {
      throw notSent(messageId, publishAborted(), options.signal.reason);
    }
    if (options.retry === false && this.#parts.loop.link === undefined) {
      throw notSent(messageId, noConnectionNow());
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

  /**
   * Declares exchanges and queues, if they are not declared already; from now on they are on every new connection before
   * anything is published there. The same as `connection.declare`.
   *
   * @throws ConfigurationError when one of the same name was registered with other arguments
   * @throws TopologyError when the broker refuses one
   */
  async maybeDeclare(...entities: readonly Entity[]): Promise<void> {
    checkPublishOptions({ declare: entities });
    this.#register({ declare: entities });
    const { loop, topology } = this.#parts;
    if (loop.link !== undefined) await topology.declareOn(loop.link, entities);
  }

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
      entry.signal = options.signal;
      this.#loop.add(entry);
    });
  }

  #policy({ timeout, retry, republish, maxRetries, errback }: PublishOptions): PublishPolicy {
    const given = timeout ?? retry ?? republish ?? maxRetries ?? errback;
    if (given === undefined) return this.#usualPolicy;
    return {
      timeout: timeout ?? this.#options.timeout,
      maxRetries: retry === false ? 0 : maxRetries,
      republish: republish ?? true,
      waits: retry ?? true,
      errback,
    };
  }

  /** What is published to, and what the caller wants declared, joins the topology of the connection. */
  #register({ queue, exchange, declare }: PublishOptions): void {
    const target = queue ?? (exchange instanceof Exchange ? exchange : undefined);
    const known = target === undefined || this.#registered.has(target);
    if (declare === undefined && known) return;
    const entities = [...(declare ?? [])];
    if (target !== undefined) entities.push(target);
    const fresh = entities.filter((entity) => !this.#isRegistered(entity));
    if (fresh.length === 0) return;
    this.#parts.topology.add(...fresh);
    for (const entity of fresh) {
      this.#registered.add(entity);
      this.#declarations.add(declarationKey(entity));
    }
    this.#loop.declareFirst();
  }

  #isRegistered(entity: Entity): boolean {
    if (this.#registered.has(entity)) return true;
    if (!this.#declarations.has(declarationKey(entity))) return false;
    this.#registered.add(entity);
    return true;
  }
}

function notSent(messageId: string, why: string, cause?: unknown): PublishError {
  const options = cause === undefined ? undefined : { cause };
  const text = notConfirmed(messageId, 'not-sent', why);
  return new PublishError(text, 'not-sent', messageId, undefined, options);
}

function encoded(messageId: string, body: unknown, options: PublishOptions): OutgoingMessage {
  try {
    return outgoingMessage(messageId, body, options);
  } catch (error) {
    if (!isSerializationError(error)) throw error;
    throw notSent(messageId, error.message, error);
  }
}
