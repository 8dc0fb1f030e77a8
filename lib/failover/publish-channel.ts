import type { ChannelEvents, ConfirmChannel } from '../amqp/channel.js';
import type { AmqpError } from '../errors.js';
import { isAmqpError } from '../errors.js';
import type { Clock } from '../policy/clock.js';
import { Flight } from './flight.js';
import type { Link } from './link.js';
import type { OutboxEntry } from './outbox-entry.js';

/** Why a message came back, in the broker's words. */
export interface ReturnReply {
  readonly code: number;
  readonly text: string;
}

/** What a channel with publishes in flight tells its loop. Nothing is told any more once `closed` was, or after `abandon`. */
export interface PublishChannelEvents {
  acked(entry: OutboxEntry, on: PublishChannel): void;
  nacked(entry: OutboxEntry, on: PublishChannel): void;
  returned(entry: OutboxEntry, reply: ReturnReply): void;
  /** There is room for more, or nothing is unconfirmed any more. */
  room(on: PublishChannel): void;
  closed(on: PublishChannel, unconfirmed: readonly OutboxEntry[], loss: AmqpError): void;
}

/** @returns whether a failed send was refused for what was to be sent, and the channel is as it was */
export const isNotEncoded = (error: unknown): boolean =>
  !isAmqpError(error) || error.fault.scope === 'operation';

type ReturnedMessage = Parameters<ChannelEvents['return']>[0];

/** One confirm channel, and what is unconfirmed on it. */
export class PublishChannel {
  readonly #flight = new Flight<OutboxEntry>();
  readonly #acked: (entry: OutboxEntry) => void;
  readonly #nacked: (entry: OutboxEntry) => void;
  #writable = true;
  #told = true;
  #answered = false;
  #confirmedAt: number;

  constructor(
    readonly link: Link,
    private readonly channel: ConfirmChannel,
    private readonly clock: Clock,
    private readonly events: PublishChannelEvents,
  ) {
    this.#confirmedAt = clock.now();
    this.#acked = (entry) => events.acked(entry, this);
    this.#nacked = (entry) => events.nacked(entry, this);
    channel.on('ack', ({ deliveryTag, multiple }) => {
      this.#confirmedAt = clock.now();
      this.#answer(deliveryTag, multiple, this.#acked);
    });
    channel.on('nack', ({ deliveryTag, multiple }) =>
      this.#answer(deliveryTag, multiple, this.#nacked),
    );
    channel.on('return', (message) => this.#returned(message));
    channel.on('drain', () => {
      this.#writable = true;
      if (this.#told) events.room(this);
    });
    channel.on('close', (loss) => {
      if (!this.#told) return;
      this.#told = false;
      events.closed(this, this.#flight.drain(), loss);
    });
  }

  get unconfirmed(): number {
    return this.#flight.size;
  }

  /**
   * When the broker last confirmed anything, or the oldest of what is unconfirmed was sent. A reading of the clock. A nack is no
   * progress by itself: while a node hangs, RabbitMQ 3.10 may nack the publishes of a channel one by one, each after 7 s.
   */
  get progressAt(): number {
    const oldest = this.#flight.find(() => true);
    return Math.max(this.#confirmedAt, oldest?.sentAt ?? 0);
  }

  /** The broker could not be expected to answer until now. */
  excuse(): void {
    this.#confirmedAt = this.clock.now();
  }

  /** Whether the broker has ever confirmed or nacked anything on it. */
  get answered(): boolean {
    return this.#answered;
  }

  /** It is gone, whether that was told or not. */
  get ended(): boolean {
    return !this.#told || this.channel.loss !== undefined;
  }

  /** Whether it lives, has room, and its broker takes publishes. */
  get isOpen(): boolean {
    return !this.ended && this.#writable && this.link.connection.blocked === undefined;
  }

  /** @throws AmqpError when it could not be sent: nothing has left */
  send(entry: OutboxEntry): void {
    const { exchange, routingKey, content, properties } = entry.message;
    try {
      this.#writable = this.channel.publish(exchange, routingKey, content, properties);
    } catch (error) {
      // A channel that cannot send has ended, or is about to, which it tells later; till then it is not to be asked again.
      this.#writable = isNotEncoded(error);
      throw error;
    }
    entry.attempts += 1;
    entry.sentAt = this.clock.now();
    this.#flight.add(entry);
  }

  /** Gives up on the channel, which nobody hears of any more, and gives back what is unconfirmed. */
  abandon(): OutboxEntry[] {
    void this.close();
    return this.#flight.drain();
  }

  /** Closes by handshake. Nobody hears of the channel any more. */
  async close(): Promise<void> {
    this.#told = false;
    await this.channel.close();
  }

  #answer(tag: number, multiple: boolean, each: (entry: OutboxEntry) => void): void {
    if (!this.#told) return;
    try {
      this.#flight.answer(tag, multiple, each);
    } catch (error) {
      // The broker, or what is between us, has lost count: a confirm on this connection proves nothing.
      this.link.connection.destroy(error as Error);
      return;
    }
    this.#answered = true;
    this.events.room(this);
  }

  /** Returns come in the order of the publishes, so of several that look the same it is the oldest one's. */
  #returned(message: ReturnedMessage): void {
    if (!this.#told) return;
    const { exchange, routingKey } = message.fields;
    const { messageId } = message.properties;
    const entry = this.#flight.find(
      ({ returned, message: sent }) =>
        !returned &&
        sent.messageId === messageId &&
        sent.exchange === exchange &&
        sent.routingKey === routingKey &&
        sent.properties.mandatory === true,
    );
    if (entry === undefined) return;
    entry.returned = true;
    if (!entry.settled) this.events.returned(entry, replyOf(message.fields));
  }
}

/** amqplib types the fields of a returned message as those of a delivery. */
function replyOf(fields: object): ReturnReply {
  const { replyCode, replyText } = fields as { replyCode?: number; replyText?: string };
  return { code: replyCode ?? 0, text: replyText ?? '' };
}
