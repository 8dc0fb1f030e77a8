import type { Delivery } from '../amqp/channel.js';
import type { Queue } from '../amqp/queue.js';
import { MessageStateError } from '../errors.js';
import { settledTwice } from '../consumer.messages.js';
import { decodeBody } from '../serialization/codec.js';
import type { Headers } from '../serialization/headers.js';
import { safeHeaders } from '../serialization/headers.js';

/** `lost`: the channel that delivered it is gone, and the broker delivers it again. */
export type MessageState = 'received' | 'acked' | 'rejected' | 'requeued' | 'lost';

/** `sent` is no receipt from the broker; AMQP has none for an ack. `lost`: nothing was sent, and nothing can be. */
export type SettleResult = 'sent' | 'lost';

/** How and where a message came. */
export interface DeliveryInfo {
  readonly consumerTag: string;
  readonly deliveryTag: number;
  readonly redelivered: boolean;
  readonly exchange: string;
  readonly routingKey: string;
}

type Verb = Exclude<MessageState, 'received' | 'lost'>;

/** The channel that delivered a message: the only one on which it can be settled. */
export interface DeliveringChannel {
  /** Why the channel ended; undefined while it lives. */
  readonly loss: Error | undefined;
  /** Aborted when the channel ends, with its loss; one for all messages of a channel. */
  readonly signal: AbortSignal;
  /** The names of the serializers that may decode. */
  readonly accept: readonly string[];
  ack(delivery: Delivery): void;
  reject(delivery: Delivery, requeue: boolean): void;
  /** Gives back what nobody has begun to handle. */
  handBack(delivery: Delivery): void;
}

/**
 * A message, bound to the channel that delivered it. A delivery tag means something on that channel only: after a loss the
 * verbs send nothing and say `lost`, since the broker has put the message back into its queue.
 */
export class Message<T = unknown> {
  /** Received headers, without a prototype and without keys that could reach into one. */
  readonly headers: Headers;
  readonly #delivery: Delivery;
  readonly #channel: DeliveringChannel;
  #state: MessageState = 'received';
  #payload: { readonly value: T } | undefined;

  constructor(
    delivery: Delivery,
    channel: DeliveringChannel,
    /** The declaration of the queue that it was consumed from. */
    readonly queue: Queue,
  ) {
    this.#delivery = delivery;
    this.#channel = channel;
    this.headers = safeHeaders(delivery.properties.headers);
  }

  /** The bytes as they came. */
  get body(): Buffer {
    return this.#delivery.content;
  }

  /**
   * The decoded body; decoded once, on first use.
   *
   * @throws SerializationError when its content type is not accepted, or the bytes are not of that type
   */
  get payload(): T {
    this.#payload ??= { value: this.#decode() };
    return this.#payload.value;
  }

  #decode(): T {
    const { content, properties } = this.#delivery;
    const contentType: unknown = properties.contentType;
    const type = typeof contentType === 'string' ? contentType : undefined;
    return decodeBody(content, type, this.#channel.accept) as T;
  }

  /** The AMQP properties as they came; for headers see `headers`. */
  get properties(): Omit<Delivery['properties'], 'headers'> {
    return this.#delivery.properties;
  }

  get deliveryInfo(): DeliveryInfo {
    return this.#delivery.fields;
  }

  /** It was delivered before, to somebody, and not acknowledged. */
  get redelivered(): boolean {
    return this.#delivery.fields.redelivered;
  }

  /** Aborted when the channel that delivered it ends: what is done from then on will be done again by somebody. */
  get signal(): AbortSignal {
    return this.#channel.signal;
  }

  get state(): MessageState {
    return this.#state === 'received' && this.#channel.loss !== undefined ? 'lost' : this.#state;
  }

  /** Whether it was settled, by whatever verb. */
  get acknowledged(): boolean {
    return this.#state !== 'received' && this.#state !== 'lost';
  }

  /** It is done with. @throws MessageStateError when it was settled before, unless it is lost */
  ack(): SettleResult {
    return this.#settle('acked', () => this.#channel.ack(this.#delivery));
  }

  /** It is of no use: dead-lettered, or dropped. @throws MessageStateError when it was settled before, unless it is lost */
  reject(): SettleResult {
    return this.#settle('rejected', () => this.#channel.reject(this.#delivery, false));
  }

  /** Back into the queue, at once. @throws MessageStateError when it was settled before, unless it is lost */
  requeue(): SettleResult {
    return this.#settle('requeued', () => this.#channel.reject(this.#delivery, true));
  }

  /** @internal Back into the queue, not as a failure: nobody has begun to handle it. */
  handBack(): SettleResult {
    return this.#settle('requeued', () => this.#channel.handBack(this.#delivery));
  }

  #settle(verb: Verb, send: () => void): SettleResult {
    const { loss } = this.#channel;
    if (this.#state !== 'received') {
      if (loss !== undefined || this.#state === 'lost') return 'lost';
      throw new MessageStateError(settledTwice(verb, this.#state));
    }
    this.#state = 'lost';
    if (loss !== undefined) return 'lost';
    try {
      send();
    } catch {
      // The channel ended in this very turn, or is closing: nothing was sent.
      return 'lost';
    }
    this.#state = verb;
    return 'sent';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Message <${this.state}>`;
  }
}
