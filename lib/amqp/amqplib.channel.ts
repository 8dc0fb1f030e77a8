import type { ConsumeMessage, GetMessage, Message as AmqpMessage, Options, Replies } from 'amqplib';
import { ChannelRecord } from './amqplib.channel-record.js';
import { AckBatch } from './ack-batch.js';
import type { ChannelSurroundings } from './amqplib.channel-record.js';
import type { AmqplibRawChannel } from './amqplib.shapes.js';
import type { Channel } from './channel.js';
import { guardedConsumer } from './guarded-consumer.js';

type Arguments = Record<string, unknown>;

/** The facade over one channel of amqplib's callback API. */
export class AmqplibChannel extends ChannelRecord implements Channel {
  readonly #raw: AmqplibRawChannel;
  readonly #surroundings: ChannelSurroundings;
  readonly #acks = new AckBatch<AmqpMessage>();
  #willSendAcks = false;

  constructor(raw: AmqplibRawChannel, surroundings: ChannelSurroundings) {
    super(raw, surroundings);
    this.#raw = raw;
    this.#surroundings = surroundings;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `${this.constructor.name} { ${this.connection.broker.toString()}, ${this.loss === undefined ? 'open' : 'closed'} }`;
  }

  assertQueue(queue?: string, options?: Options.AssertQueue): Promise<Replies.AssertQueue> {
    return this.rpc('queue.declare', (done) => this.#raw.assertQueue(queue, options, done));
  }

  checkQueue(queue: string): Promise<Replies.AssertQueue> {
    return this.rpc('queue.declare', (done) => this.#raw.checkQueue(queue, done));
  }

  deleteQueue(queue: string, options?: Options.DeleteQueue): Promise<Replies.DeleteQueue> {
    return this.rpc('queue.delete', (done) => this.#raw.deleteQueue(queue, options, done));
  }

  purgeQueue(queue: string): Promise<Replies.PurgeQueue> {
    return this.rpc('queue.purge', (done) => this.#raw.purgeQueue(queue, done));
  }

  bindQueue(
    queue: string,
    source: string,
    pattern: string,
    args?: Arguments,
  ): Promise<Replies.Empty> {
    return this.rpc('queue.bind', (done) =>
      this.#raw.bindQueue(queue, source, pattern, args, done),
    );
  }

  unbindQueue(
    queue: string,
    source: string,
    pattern: string,
    args?: Arguments,
  ): Promise<Replies.Empty> {
    return this.rpc('queue.unbind', (done) =>
      this.#raw.unbindQueue(queue, source, pattern, args, done),
    );
  }

  assertExchange(
    exchange: string,
    type: string,
    options?: Options.AssertExchange,
  ): Promise<Replies.AssertExchange> {
    return this.rpc('exchange.declare', (done) =>
      this.#raw.assertExchange(exchange, type, options, done),
    );
  }

  checkExchange(exchange: string): Promise<Replies.Empty> {
    return this.rpc('exchange.declare', (done) => this.#raw.checkExchange(exchange, done));
  }

  deleteExchange(exchange: string, options?: Options.DeleteExchange): Promise<Replies.Empty> {
    return this.rpc('exchange.delete', (done) => this.#raw.deleteExchange(exchange, options, done));
  }

  bindExchange(
    destination: string,
    source: string,
    pattern: string,
    args?: Arguments,
  ): Promise<Replies.Empty> {
    return this.rpc('exchange.bind', (done) =>
      this.#raw.bindExchange(destination, source, pattern, args, done),
    );
  }

  unbindExchange(
    destination: string,
    source: string,
    pattern: string,
    args?: Arguments,
  ): Promise<Replies.Empty> {
    return this.rpc('exchange.unbind', (done) =>
      this.#raw.unbindExchange(destination, source, pattern, args, done),
    );
  }

  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options?: Options.Publish,
  ): boolean {
    // amqplib's throw costs 15 microseconds, and the fault it throws says less.
    if (this.loss !== undefined) throw this.fault('basic.publish');
    try {
      return this.#raw.publish(exchange, routingKey, content, options);
    } catch (error) {
      throw this.thrown('basic.publish', error);
    }
  }

  sendToQueue(queue: string, content: Buffer, options?: Options.Publish): boolean {
    return this.publish('', queue, content, options);
  }

  consume(
    queue: string,
    onMessage: (message: ConsumeMessage | null) => void,
    options?: Options.Consume,
  ): Promise<Replies.Consume> {
    const deliver = guardedConsumer(this, onMessage, this.#surroundings.report);
    const counted = (message: ConsumeMessage | null): void => {
      if (message !== null) this.#acks.delivered(message);
      deliver(message);
    };
    const called = options?.noAck === true ? deliver : counted;
    return this.rpc('basic.consume', (done) => this.#raw.consume(queue, called, options, done));
  }

  cancel(consumerTag: string): Promise<Replies.Cancel> {
    return this.rpc('basic.cancel', (done) => this.#raw.cancel(consumerTag, done));
  }

  get(queue: string, options?: Options.Get): Promise<GetMessage | false> {
    return this.rpc('basic.get', (done) =>
      this.#raw.get(queue, options, (error: Error | null, message) => {
        // In this very call: what is delivered in the same turn may be acknowledged before a promise of ours goes on.
        if (error === null && message !== false && options?.noAck !== true) {
          this.#acks.delivered(message);
        }
        done(error, message);
      }),
    );
  }

  prefetch(count: number, global?: boolean): Promise<Replies.Empty> {
    return this.rpc('basic.qos', (done) => this.#raw.prefetch(count, global, done));
  }

  recover(): Promise<Replies.Empty> {
    this.#sendAcks();
    return this.rpc('basic.recover', (done) =>
      this.#raw.recover((error: Error | null, reply) => {
        if (error === null) this.#acks.allSettled();
        done(error, reply);
      }),
    );
  }

  /** Sent when the running operation ends, with the others that there are then in as few frames as possible. */
  ack(message: AmqpMessage, allUpTo?: boolean): void {
    if (this.loss !== undefined) throw this.fault('basic.ack');
    if (allUpTo === true || !this.#acks.add(message)) {
      this.#settle('basic.ack', () => this.#raw.ack(message, allUpTo));
      this.#acks.settled(message, allUpTo);
    } else if (!this.#willSendAcks) {
      this.#willSendAcks = true;
      process.nextTick(this.#sendAcks);
    }
  }

  ackAll(): void {
    this.#settle('basic.ack', () => this.#raw.ackAll());
    this.#acks.allSettled();
  }

  nack(message: AmqpMessage, allUpTo?: boolean, requeue?: boolean): void {
    this.#settle('basic.nack', () => this.#raw.nack(message, allUpTo, requeue));
    this.#acks.settled(message, allUpTo);
  }

  nackAll(requeue?: boolean): void {
    this.#settle('basic.nack', () => this.#raw.nackAll(requeue));
    this.#acks.allSettled();
  }

  reject(message: AmqpMessage, requeue?: boolean): void {
    this.#settle('basic.reject', () => this.#raw.reject(message, requeue));
    this.#acks.settled(message);
  }

  override close(): Promise<void> {
    this.#sendAcks();
    return super.close();
  }

  /** What covers many must not come before the acks of some of them. */
  #settle(method: string, send: () => void): void {
    if (this.loss !== undefined) throw this.fault(method);
    this.#sendAcks();
    try {
      send();
    } catch (error) {
      throw this.thrown(method, error);
    }
  }

  readonly #sendAcks = (): void => {
    this.#willSendAcks = false;
    if (this.loss !== undefined) return;
    try {
      for (const { message, allUpTo } of this.#acks.take()) this.#raw.ack(message, allUpTo);
    } catch (error) {
      // The channel has ended, of which it tells itself: the broker delivers them again.
      this.thrown('basic.ack', error);
    }
  };
}
