import { setMaxListeners } from 'node:events';
import type { Channel, Delivery } from '../amqp/channel.js';
import type { Queue } from '../amqp/queue.js';
import { cancelledByBroker } from '../consumer.messages.js';
import { AmqpError } from '../errors.js';
import type { Link } from './link.js';
import type { DeliveringChannel } from './message.js';
import { Message } from './message.js';

/** How a channel is registered with queues, and who gets what comes. */
export interface ConsumerChannelParts {
  /** The names of the serializers that may decode. */
  readonly accept: readonly string[];
  readonly prefetchCount: number;
  /** Messages count as settled when they are sent. */
  readonly noAck: boolean;
  readonly onMessage: (message: Message) => void;
  /** The channel has ended, or the broker has cancelled a consumer on it; once. */
  readonly onEnd: (error: AmqpError) => void;
}

/** A channel that consumes for `drainEvents`: what it delivers is settled on it or not at all. */
export class ConsumerChannel implements DeliveringChannel {
  readonly #aborted = new AbortController();
  readonly #tags = new Map<Queue, string>();
  #over = false;

  constructor(
    readonly link: Link,
    readonly channel: Channel,
    private readonly parts: ConsumerChannelParts,
  ) {
    // One signal serves all messages of the channel.
    setMaxListeners(0, this.#aborted.signal);
    channel.on('close', (loss) => {
      this.#ended(loss);
      this.#aborted.abort(loss);
    });
  }

  get loss(): Error | undefined {
    return this.channel.loss;
  }

  get signal(): AbortSignal {
    return this.#aborted.signal;
  }

  get accept(): readonly string[] {
    return this.parts.accept;
  }

  isConsumingFrom(queue: Queue): boolean {
    return this.#tags.has(queue);
  }

  /** Sets the prefetch of what is registered from now on. */
  async qos(prefetchCount: number): Promise<void> {
    await this.channel.prefetch(prefetchCount);
  }

  /** @param name under which the broker knows the queue */
  async register(queue: Queue, name: string): Promise<void> {
    const { consumerTag } = await this.channel.consume(
      name,
      (delivery) => {
        if (delivery === null) this.#cancelledByBroker(queue);
        else if (!this.#over) this.parts.onMessage(new Message(delivery, this, queue));
      },
      { arguments: { ...queue.consumerArguments }, noAck: this.parts.noAck },
    );
    this.#tags.set(queue, consumerTag);
    // It has ended while the broker answered.
    if (this.#over) this.#cancelAll();
  }

  async cancel(queue: Queue): Promise<void> {
    const tag = this.#tags.get(queue);
    this.#tags.delete(queue);
    if (tag !== undefined && this.loss === undefined) await this.channel.cancel(tag);
  }

  /** Consumes no longer; what it has delivered can be settled until the channel is closed. */
  end(): void {
    this.#over = true;
    this.#cancelAll();
  }

  ack(delivery: Delivery): void {
    if (!this.parts.noAck) this.channel.ack(delivery);
  }

  reject(delivery: Delivery, requeue: boolean): void {
    if (!this.parts.noAck) this.channel.reject(delivery, requeue);
  }

  handBack(delivery: Delivery): void {
    // Since RabbitMQ 4.3 a nack, unlike a reject, does not count toward the delivery limit.
    if (!this.parts.noAck) this.channel.nack(delivery, false, true);
  }

  /** The answers change nothing. */
  #cancelAll(): void {
    if (this.loss !== undefined) return;
    for (const tag of this.#tags.values()) this.channel.cancel(tag).catch(() => undefined);
  }

  /** What comes from its other queues would be taken by nobody. */
  #cancelledByBroker(queue: Queue): void {
    this.#tags.delete(queue);
    this.#ended(this.#cancelled(queue));
    this.#cancelAll();
  }

  #ended(error: AmqpError): void {
    if (this.#over) return;
    this.#over = true;
    this.parts.onEnd(error);
  }

  /** What a cancelled consumer needs is what a closed channel needs: another one. */
  #cancelled(queue: Queue): AmqpError {
    const { link, channel } = this;
    return new AmqpError(cancelledByBroker(queue.name), {
      scope: 'channel',
      connection: link.connection,
      channel,
    });
  }
}
