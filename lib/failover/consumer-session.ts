import { setMaxListeners } from 'node:events';
import type { Channel, Delivery } from '../amqp/channel.js';
import type { Queue } from '../amqp/queue.js';
import type { ConsumeEndReason } from '../policy/consumer-state.js';
import type { ResolvedConsumerOptions } from './consumer-options.js';
import { Dispatcher } from './dispatcher.js';
import type { Link } from './link.js';
import type { DeliveringChannel } from './message.js';
import { Message } from './message.js';
import type { Topology } from './topology.js';

/** What a session works with. */
export interface ConsumerSessionParts {
  readonly topology: Topology;
  readonly options: ResolvedConsumerOptions;
  /** Sees a message through to its end. Never rejects. */
  readonly run: (message: Message) => Promise<void>;
}

/**
 * One channel of a consumer, from its first registration to its end. What it delivers is settled on it or not at all.
 */
export class ConsumerSession implements DeliveringChannel {
  /** Resolves when it consumes no longer; handlers may still run. */
  readonly ended: Promise<ConsumeEndReason>;
  #resolve: (reason: ConsumeEndReason) => void = () => undefined;
  #endedBy: ConsumeEndReason | undefined;
  readonly #aborted = new AbortController();
  readonly #tags: string[] = [];
  readonly #dispatcher: Dispatcher;

  constructor(
    readonly link: Link,
    readonly channel: Channel,
    private readonly parts: ConsumerSessionParts,
  ) {
    const { options, run: handle } = parts;
    const drop = (message: Message): void => void message.handBack();
    this.#dispatcher = new Dispatcher({ concurrency: options.concurrency, handle, drop });
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    // One signal serves all messages of the channel.
    setMaxListeners(0, this.#aborted.signal);
    channel.on('close', (loss) => {
      this.end(loss.fault.scope === 'connection' ? 'lost' : 'channel-closed');
      this.#aborted.abort(loss);
    });
  }

  /** It was not ended, and the channel lives. */
  get isConsuming(): boolean {
    return this.#endedBy === undefined && this.channel.loss === undefined;
  }

  /** Why it consumes no longer; undefined while it does. */
  get endedBy(): ConsumeEndReason | undefined {
    return this.#endedBy;
  }

  get loss(): Error | undefined {
    return this.channel.loss;
  }

  get signal(): AbortSignal {
    return this.#aborted.signal;
  }

  get accept(): readonly string[] {
    return this.parts.options.accept;
  }

  /** How many of its handlers run. */
  get running(): number {
    return this.#dispatcher.running;
  }

  /** Resolves when none of its handlers runs any more. */
  handlersSettled(): Promise<void> {
    return this.#dispatcher.idle();
  }

  /** Holds redelivered and republished messages back until `settled`. */
  holdSuspects(settled: Promise<void>): void {
    this.#dispatcher.holdSuspects(settled);
  }

  /**
   * Declares, sets the prefetch and registers with every queue.
   *
   * @throws TopologyError, AmqpError
   */
  async consume(): Promise<void> {
    const { topology, options } = this.parts;
    const { channel, link } = this;
    const names: string[] = [];
    for (const queue of options.queues) names.push(await topology.queueName(link, queue));
    // Per consumer, and so before any of them is registered.
    await channel.prefetch(options.prefetchCount);
    for (const [index, queue] of options.queues.entries()) {
      if (this.#endedBy !== undefined) return;
      await this.#register(queue, names[index] ?? queue.name);
    }
  }

  async #register(queue: Queue, name: string): Promise<void> {
    const { consumerTag } = await this.channel.consume(
      name,
      (delivery) => {
        if (delivery === null) this.end('cancelled');
        else this.#deliver(new Message(delivery, this, queue));
      },
      { arguments: { ...queue.consumerArguments } },
    );
    // Ended while the broker answered: what it delivers would be handed back to it, and come again, for ever.
    if (this.#endedBy === undefined) this.#tags.push(consumerTag);
    else this.#cancel(consumerTag);
  }

  #deliver(message: Message): void {
    if (this.#endedBy !== undefined) message.handBack();
    else this.#dispatcher.push(message);
  }

  ack(delivery: Delivery): void {
    this.channel.ack(delivery);
  }

  reject(delivery: Delivery, requeue: boolean): void {
    this.channel.reject(delivery, requeue);
  }

  handBack(delivery: Delivery): void {
    // Since RabbitMQ 4.3 a nack, unlike a reject, does not count toward the delivery limit.
    this.channel.nack(delivery, false, true);
  }

  /** Consumes no longer. Handlers that run go on, and while the channel lives their acks are valid. */
  end(reason: ConsumeEndReason): void {
    if (this.#endedBy !== undefined) return;
    this.#endedBy = reason;
    // Before anything is handed back, so that it goes to others.
    for (const tag of this.#tags) this.#cancel(tag);
    this.#dispatcher.end();
    this.#resolve(reason);
  }

  /** The answer changes nothing. */
  #cancel(tag: string): void {
    if (this.channel.loss === undefined) this.channel.cancel(tag).catch(() => undefined);
  }
}
