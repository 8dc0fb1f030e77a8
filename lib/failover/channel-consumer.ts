import type { Channel } from '../amqp/channel.js';
import { Queue } from '../amqp/queue.js';
import { notConsuming } from '../consumer.messages.js';
import { ConfigurationError } from '../errors.js';
import { checkOptions } from '../policy/check-options.js';
import type {
  ChannelConsumerOptions,
  ConsumerCallback,
  ResolvedChannelConsumerOptions,
} from './channel-consumer-options.js';
import { resolveChannelConsumerOptions } from './channel-consumer-options.js';
import type { ConnectionParts } from './connection-parts.js';
import { ConsumerChannel } from './consumer-channel.js';
import { prefetch } from './consumer-options.js';
import type { Drained, EventDrain } from './event-drain.js';
import type { Link } from './link.js';
import type { Message } from './message.js';
import type { PatienceOptions } from './patience.js';
import { onLiveLink } from './live-link.js';

/** What a consumer needs of its connection. */
export interface ChannelConsumerParts extends ConnectionParts {
  readonly drain: EventDrain;
}

/**
 * kombu's `Consumer`: consumes from queues on a channel of its own, and has its callbacks run inside the connection's
 * `drainEvents`, one message after the other. After a loss `drainEvents` rejects until the consumer is revived, which makes
 * it consume again; `connection.ensure(connection, ...)` does that. Made by `connection.consumer()`.
 */
export class ChannelConsumer<T = unknown> implements Drained, AsyncDisposable {
  readonly #parts: ChannelConsumerParts;
  readonly #options: ResolvedChannelConsumerOptions;
  readonly #callbacks: ConsumerCallback[];
  readonly #queues: Set<Queue>;
  #prefetchCount: number;
  #channel: ConsumerChannel | undefined;
  #ended: Error | undefined;
  /** Settles with the last change of what it is registered with; each waits for the one before. */
  #changed: Promise<unknown> = Promise.resolve();
  /** Counts its cancellations: what began before one must not consume after it. */
  #cancellations = 0;

  /** @throws ConfigurationError naming the option, its value and what is allowed */
  constructor(
    parts: ChannelConsumerParts,
    queues: Queue<T> | readonly Queue<T>[],
    options: ChannelConsumerOptions<T>,
  ) {
    this.#parts = parts;
    this.#options = resolveChannelConsumerOptions(queues, options);
    this.#callbacks = [...this.#options.callbacks];
    this.#queues = new Set(this.#options.queues);
    this.#prefetchCount = this.#options.prefetchCount;
    if (this.#options.autoDeclare) parts.topology.add(...this.#queues);
  }

  /** The queues that it consumes from, or will. */
  get queues(): readonly Queue[] {
    return [...this.#queues];
  }

  /** The channel that it consumes on; undefined while it does not. */
  get channel(): Channel | undefined {
    return this.#ended === undefined ? this.#channel?.channel : undefined;
  }

  get ended(): Error | undefined {
    return this.#ended;
  }

  /** Adds a function that gets each message, after those that were added before. */
  registerCallback(callback: ConsumerCallback<T>): void {
    this.#callbacks.push(callback as ConsumerCallback);
  }

  /** Consumes from one more queue; if it consumes already, from the next `consume()` on. */
  addQueue(queue: Queue<T>): void {
    if (!(queue instanceof Queue)) resolveChannelConsumerOptions(queue, {});
    if (this.#options.autoDeclare) this.#parts.topology.add(queue);
    this.#queues.add(queue);
  }

  /** Whether it is registered with this queue on a channel that lives. */
  consumingFrom(queue: Queue): boolean {
    return this.channel !== undefined && this.#channel?.isConsumingFrom(queue) === true;
  }

  /**
   * Declares its queues, sets the prefetch and registers with each queue that it does not consume from yet. Waits for a
   * connection if there is none.
   *
   * @throws TopologyError, AmqpError, OperationalError, ConnectionClosedError
   */
  async consume(patience: PatienceOptions = {}): Promise<this> {
    const asked = this.#cancellations;
    await onLiveLink(this.#parts, patience, (link) => this.#consumeOn(link, asked));
    return this;
  }

  /** Consumes no longer. What was delivered and not drained goes back to its queue. */
  async cancel(): Promise<void> {
    const channel = this.#channel;
    this.#cancellations += 1;
    this.#parts.drain.leave(this);
    this.#channel = undefined;
    this.#ended = undefined;
    if (channel === undefined) return;
    channel.end();
    this.#parts.drain.drop(channel);
    await channel.channel.close();
  }

  /** The same for one queue, whose messages can still be settled. */
  async cancelByQueue(queue: Queue): Promise<void> {
    this.#queues.delete(queue);
    await this.#channel?.cancel(queue);
  }

  /** Sets the prefetch, of what it consumes from now on. */
  async qos({ prefetchCount }: { readonly prefetchCount: number }): Promise<void> {
    checkOptions('Consumer.qos', { prefetchCount }, { prefetchCount: prefetch });
    this.#prefetchCount = prefetchCount;
    if (this.channel !== undefined) await this.#channel?.qos(prefetchCount);
  }

  /** Has the broker deliver again all that is not settled on its channel. @throws ConfigurationError when it does not consume */
  async recover(): Promise<void> {
    const { channel } = this;
    if (channel === undefined) throw new ConfigurationError(notConsuming('recover'));
    await channel.recover();
  }

  /** Empties its queues of what was delivered to nobody. @returns how many messages are gone */
  async purge(): Promise<number> {
    return onLiveLink(this.#parts, {}, async (link) => {
      const channel = await link.defaultChannel();
      let purged = 0;
      for (const queue of this.#queues) {
        const name = await this.#parts.topology.queueName(link, queue);
        purged += (await channel.purgeQueue(name)).messageCount;
      }
      return purged;
    });
  }

  /** Declares its queues. */
  async declare(): Promise<void> {
    await onLiveLink(this.#parts, {}, (link) => this.#parts.topology.declare(link, this.queues));
  }

  /**
   * Consumes again on the connection that is the current one, if it consumed before. It opens a channel of its own, so that
   * what happens to others does not reach it.
   */
  async revive(_channel?: Channel): Promise<void> {
    const { link } = this.#parts.loop;
    if (this.#channel === undefined || link === undefined || this.#consumesOn(link)) return;
    await this.#consumeOn(link, this.#cancellations);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cancel();
  }

  #consumesOn(link: Link): boolean {
    return this.#ended === undefined && this.#channel?.link === link;
  }

  /** @param asked how often it had been cancelled when this was asked for */
  #consumeOn(link: Link, asked: number): Promise<void> {
    const changed = this.#changed.then(() => this.#register(link, asked));
    this.#changed = changed.catch(() => undefined);
    return changed;
  }

  async #register(link: Link, asked: number): Promise<void> {
    const consumes = this.#consumesOn(link);
    const channel = consumes ? this.#channel : await this.#open(link, asked);
    if (channel === undefined) return;
    try {
      await channel.qos(this.#prefetchCount);
      for (const queue of this.#queues) {
        if (channel.isConsumingFrom(queue)) continue;
        await channel.register(queue, await this.#nameOf(link, queue));
      }
    } catch (error) {
      if (!consumes) await this.#abandon(channel, error as Error);
      throw error;
    }
  }

  /** @returns undefined when it was cancelled meanwhile */
  async #open(link: Link, asked: number): Promise<ConsumerChannel | undefined> {
    const opened = await link.connection.openChannel();
    if (this.#cancellations !== asked) {
      await opened.close();
      return undefined;
    }
    const old = this.#channel;
    const channel: ConsumerChannel = new ConsumerChannel(link, opened, {
      accept: this.#options.accept,
      noAck: this.#options.noAck,
      prefetchCount: this.#prefetchCount,
      onMessage: (message) => this.#parts.drain.push(channel, () => this.#received(message)),
      onEnd: (error) => this.#end(channel, error),
    });
    this.#channel = channel;
    this.#ended = undefined;
    this.#parts.drain.join(this);
    if (old !== undefined) this.#parts.drain.drop(old);
    await old?.channel.close();
    return channel;
  }

  async #abandon(channel: ConsumerChannel, error: Error): Promise<void> {
    channel.end();
    this.#end(channel, error);
    await channel.channel.close();
  }

  #end(channel: ConsumerChannel, error: Error): void {
    if (this.#channel !== channel) return;
    this.#ended ??= error;
    this.#parts.drain.drop(channel);
    const { link } = channel;
    if (!link.live) return;
    // Whoever consumes from them next, on the same connection: a queue may be gone, and what it is bound to.
    for (const queue of this.#queues) this.#parts.topology.forget(link, queue);
  }

  #nameOf(link: Link, queue: Queue): Promise<string> {
    const { autoDeclare } = this.#options;
    return autoDeclare ? this.#parts.topology.queueName(link, queue) : Promise.resolve(queue.name);
  }

  async #received(message: Message): Promise<void> {
    let body: unknown;
    try {
      body = message.payload;
    } catch (error) {
      const { onDecodeError } = this.#options;
      if (onDecodeError === undefined) throw error;
      await onDecodeError(message, error as Error);
      return;
    }
    for (const callback of this.#callbacks) await callback(body, message);
  }
}
