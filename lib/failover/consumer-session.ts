import type { Channel, Delivery } from '../amqp/channel.js';
import type { Queue } from '../amqp/queue.js';
import type { ConsumeEndReason } from '../policy/consumer-state.js';
import type { ResolvedConsumerOptions } from './consumer-options.js';
import { Dispatcher } from './dispatcher.js';
import type { Link } from './link.js';
import type { DeliveringChannel } from './message.js';
import { Message } from './message.js';
import { settledBefore } from './settled-before.js';
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
  readonly ended: Promise<ConsumeEndReason>;
  #end: (reason: ConsumeEndReason) => void = () => undefined;
  #consuming = true;
  readonly #aborted = new AbortController();
  readonly #tags: string[] = [];
  readonly #dispatcher: Dispatcher;

  constructor(
    readonly link: Link,
    readonly channel: Channel,
    private readonly parts: ConsumerSessionParts,
  ) {
    this.#dispatcher = new Dispatcher(parts.options.concurrency, parts.run);
    this.ended = new Promise((resolve) => {
      this.#end = (reason) => {
        this.#consuming = false;
        resolve(reason);
      };
    });
    channel.on('close', (loss) => {
      this.#dispatcher.clear();
      this.#aborted.abort(loss);
      this.#end(loss.fault.scope === 'connection' ? 'lost' : 'channel-closed');
    });
  }

  /** Every queue is registered with, and the channel lives. */
  get isConsuming(): boolean {
    return this.#consuming && this.channel.loss === undefined;
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
      await this.#register(queue, names[index] ?? queue.name);
    }
  }

  async #register(queue: Queue, name: string): Promise<void> {
    const { consumerTag } = await this.channel.consume(
      name,
      (delivery) => {
        if (delivery === null) this.#end('cancelled');
        // What comes after the end of the session goes back to the queue with the channel.
        else if (this.#consuming) this.#dispatcher.push(new Message(delivery, this, queue));
      },
      { arguments: { ...queue.consumerArguments } },
    );
    this.#tags.push(consumerTag);
  }

  ack(delivery: Delivery): void {
    this.channel.ack(delivery);
  }

  reject(delivery: Delivery, requeue: boolean): void {
    this.channel.reject(delivery, requeue);
  }

  /**
   * Cancels the registrations, waits for the handlers that run, and closes the channel, which flushes their acks. Waiting
   * ends when `late` aborts. Never rejects.
   */
  async stop(reason: ConsumeEndReason, late: AbortSignal): Promise<void> {
    this.#end(reason);
    this.#dispatcher.clear();
    const cancelled = this.#tags.map((tag) => this.channel.cancel(tag));
    const quiet = Promise.allSettled([...cancelled, this.handlersSettled()]);
    await settledBefore(late, quiet);
    await this.channel.close();
  }
}
