import type { Channel, Delivery } from '../amqp/channel.js';
import type { Queue } from '../amqp/queue.js';
import { handedBackIn, handlerFailed, undecodable } from '../failover.messages.js';
import { backoff } from '../policy/backoff.js';
import type { ConsumeEndReason } from '../policy/consumer-state.js';
import type { ConnectionParts } from './connection-parts.js';
import type { ConsumerDefinition } from './consumer-definition.js';
import type { ResolvedConsumerOptions } from './consumer-options.js';
import type { DeliveryAttempts } from './delivery-attempts.js';
import { hooked } from './hooked.js';
import type { Link } from './link.js';
import type { DeliveringChannel } from './message.js';
import { Message } from './message.js';

/** What a session works with. */
export interface ConsumerSessionParts {
  readonly connection: ConnectionParts;
  readonly definition: ConsumerDefinition;
  readonly options: ResolvedConsumerOptions;
  readonly attempts: DeliveryAttempts;
}

/**
 * One channel of a consumer, from its first registration to its end. Deliveries are taken out of the socket's stack at once
 * and handled in their order, at most `concurrency` at a time; each is settled on this channel or not at all.
 */
export class ConsumerSession implements DeliveringChannel {
  readonly #ended: Promise<ConsumeEndReason>;
  #end: (reason: ConsumeEndReason) => void = () => undefined;
  readonly #aborted = new AbortController();
  readonly #tags = new Map<string, Queue>();
  /** Delivered and not given to a handler yet; the prefetch bounds it. */
  readonly #arrived: Message[] = [];
  #consuming = true;
  #scheduled = false;
  #running = 0;
  #stopping = false;
  #drained: (() => void) | undefined;

  constructor(
    readonly link: Link,
    private readonly channel: Channel,
    private readonly parts: ConsumerSessionParts,
  ) {
    this.#ended = new Promise((resolve) => {
      this.#end = (reason) => {
        this.#consuming = false;
        resolve(reason);
      };
    });
    channel.on('close', (loss) => {
      this.#arrived.length = 0;
      this.#aborted.abort(loss);
      this.#drained?.();
      this.#end(loss.fault.scope === 'connection' ? 'lost' : 'channel-closed');
    });
  }

  /** Resolves when the session consumes no longer, with the reason. */
  get ended(): Promise<ConsumeEndReason> {
    return this.#ended;
  }

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

  get raw(): Channel {
    return this.channel;
  }

  /** Sets the prefetch and registers with every queue. @throws AmqpError, TopologyError */
  async consume(): Promise<void> {
    const { connection, options } = this.parts;
    await this.channel.prefetch(options.prefetchCount);
    for (const queue of options.queues) {
      const name = await connection.topology.queueName(this.link, queue);
      await this.#register(queue, name);
    }
  }

  async #register(queue: Queue, name: string): Promise<void> {
    const { consumerTag } = await this.channel.consume(
      name,
      (delivery) => {
        if (delivery === null) this.#end('cancelled');
        else this.#arrive(new Message(delivery, this, queue));
      },
      { arguments: { ...queue.consumerArguments } },
    );
    this.#tags.set(consumerTag, queue);
  }

  ack(delivery: Delivery): void {
    this.channel.ack(delivery);
  }

  reject(delivery: Delivery, requeue: boolean): void {
    this.channel.reject(delivery, requeue);
  }

  /**
   * Cancels the registrations, waits for the handlers that run, at most until `signal` aborts, and closes the channel, which
   * flushes their acks. Never rejects.
   */
  async stop(reason: ConsumeEndReason, signal: AbortSignal): Promise<void> {
    this.#stopping = true;
    await Promise.all(
      [...this.#tags.keys()].map((tag) => this.channel.cancel(tag).catch(() => undefined)),
    );
    // What was not begun goes back to the queue with the channel.
    this.#arrived.length = 0;
    if (this.#running > 0 && this.channel.loss === undefined && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    await this.channel.close();
    this.#end(reason);
  }

  #arrive(message: Message): void {
    if (this.#stopping) return;
    this.#arrived.push(message);
    this.#schedule();
  }

  /** One microtask for a burst: handlers never run inside the stack of the socket. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      const room = this.parts.options.concurrency - this.#running;
      for (const message of this.#arrived.splice(0, room)) void this.#handle(message);
    });
  }

  async #handle(message: Message): Promise<void> {
    this.#running += 1;
    try {
      await this.#run(message);
    } finally {
      this.#running -= 1;
      if (this.#arrived.length > 0) this.#schedule();
      if (this.#running === 0) this.#drained?.();
    }
  }

  async #run(message: Message): Promise<void> {
    const { definition, options, attempts } = this.parts;
    let body: unknown;
    try {
      body = message.payload;
    } catch (error) {
      await this.#undecodable(message, error as Error);
      return;
    }
    try {
      await definition.handle(body, message);
      attempts.succeeded(message);
      if (options.ackMode === 'auto' && message.state === 'received') message.ack();
    } catch (error) {
      this.#holdBack(message, handlerFailed(definition.name, message.queue.name, error), error);
    }
  }

  /** Dropping it needs a queue that keeps what is rejected; else one wrong `accept` in a deploy would destroy a backlog. */
  async #undecodable(message: Message, error: Error): Promise<void> {
    const { definition, connection } = this.parts;
    await hooked(connection, definition.name, () =>
      definition.hooks?.onDecodeError?.(message, error),
    );
    if (message.state !== 'received') return;
    const told = undecodable(definition.name, message.queue.name, error);
    if (message.queue.deadLetterExchange === undefined) this.#holdBack(message, told, error);
    else {
      connection.logger.error(told);
      message.reject();
    }
  }

  /** Hands the message back after a backoff. Until then it keeps its place in the prefetch, which slows down a hot loop. */
  #holdBack(message: Message, told: string, error: unknown): void {
    const { connection, options, attempts } = this.parts;
    if (message.state !== 'received') {
      connection.logger.error(told, error);
      return;
    }
    const wait = backoff(options.backoff, attempts.failed(message) ?? Number.POSITIVE_INFINITY);
    connection.logger.error(`${told} ${handedBackIn(wait)}`, error);
    const cancel = connection.clock.schedule(wait, () => {
      this.signal.removeEventListener('abort', cancel);
      if (message.state === 'received') message.requeue();
    });
    this.signal.addEventListener('abort', cancel, { once: true });
  }
}
