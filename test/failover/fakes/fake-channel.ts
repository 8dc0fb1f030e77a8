import type { Message as AmqpMessage, Replies } from 'amqplib';
import type { ChannelEvents, ConfirmChannel } from '../../../lib/amqp/channel.js';
import { AmqpError } from '../../../lib/errors.js';
import type { FakeConnection } from './fake-connection.js';

const replyOf = (code: number | undefined): string =>
  code === undefined ? 'the socket is gone' : `${code} (as told by the test)`;

/** A channel that writes down what it is asked, and answers as its connection is told to. */
export class FakeChannel implements ConfirmChannel {
  #loss: AmqpError | undefined;
  readonly #pending = new Set<(loss: AmqpError) => void>();
  readonly #hung = new Set<() => void>();
  readonly #listeners = new Map<keyof ChannelEvents, Set<(event: never) => void>>();
  /** As in `assertQueue orders`. */
  readonly calls: string[] = [];

  constructor(
    readonly connection: FakeConnection,
    readonly confirms: boolean,
  ) {}

  get loss(): AmqpError | undefined {
    return this.#loss;
  }

  /** The broker closes the channel. */
  /** @param about what the broker adds to its words */
  closeBy(code?: number, about = ''): AmqpError {
    const fault = { scope: 'channel', code, connection: this.connection, channel: this } as const;
    return this.end(new AmqpError(`channel closed: ${replyOf(code)}${about}`, fault));
  }

  /** The broker answers after all what was asked while it hung. */
  answerHung(): void {
    for (const answer of this.#hung) answer();
    this.#hung.clear();
  }

  end(loss: AmqpError): AmqpError {
    if (this.#loss !== undefined) return this.#loss;
    this.#loss = loss;
    for (const reject of this.#pending) reject(loss);
    this.#pending.clear();
    this.emit('close', loss);
    return loss;
  }

  emit<E extends keyof ChannelEvents>(event: E, ...detail: Parameters<ChannelEvents[E]>): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(detail[0] as never);
  }

  on<E extends keyof ChannelEvents>(event: E, listener: ChannelEvents[E]): this {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    return this;
  }

  off<E extends keyof ChannelEvents>(event: E, listener: ChannelEvents[E]): this {
    this.#listeners.get(event)?.delete(listener);
    return this;
  }

  assertQueue(queue = ''): Promise<Replies.AssertQueue> {
    const name = queue === '' ? this.connection.serverNamedQueue() : queue;
    return this.#rpc('assertQueue', queue, { queue: name, messageCount: 0, consumerCount: 0 });
  }

  checkQueue(queue: string): Promise<Replies.AssertQueue> {
    return this.#rpc('checkQueue', queue, { queue, messageCount: 0, consumerCount: 0 });
  }

  deleteQueue(queue: string): Promise<Replies.DeleteQueue> {
    return this.#rpc('deleteQueue', queue, { messageCount: 0 });
  }

  purgeQueue(queue: string): Promise<Replies.PurgeQueue> {
    return this.#rpc('purgeQueue', queue, { messageCount: 0 });
  }

  bindQueue(queue: string, source: string): Promise<Replies.Empty> {
    return this.#rpc('bindQueue', `${queue} ${source}`, {});
  }

  unbindQueue(queue: string, source: string): Promise<Replies.Empty> {
    return this.#rpc('unbindQueue', `${queue} ${source}`, {});
  }

  assertExchange(exchange: string): Promise<Replies.AssertExchange> {
    return this.#rpc('assertExchange', exchange, { exchange });
  }

  checkExchange(exchange: string): Promise<Replies.Empty> {
    return this.#rpc('checkExchange', exchange, {});
  }

  deleteExchange(exchange: string): Promise<Replies.Empty> {
    return this.#rpc('deleteExchange', exchange, {});
  }

  bindExchange(destination: string, source: string): Promise<Replies.Empty> {
    return this.#rpc('bindExchange', `${destination} ${source}`, {});
  }

  unbindExchange(destination: string, source: string): Promise<Replies.Empty> {
    return this.#rpc('unbindExchange', `${destination} ${source}`, {});
  }

  publish(exchange: string, routingKey: string): boolean {
    if (this.#loss !== undefined) throw this.#loss;
    this.calls.push(`publish ${exchange} ${routingKey}`);
    return true;
  }

  sendToQueue(queue: string): boolean {
    return this.publish('', queue);
  }

  consume(queue: string): Promise<Replies.Consume> {
    return this.#rpc('consume', queue, { consumerTag: `tag-of-${queue}` });
  }

  cancel(consumerTag: string): Promise<Replies.Cancel> {
    return this.#rpc('cancel', consumerTag, { consumerTag });
  }

  get(queue: string): Promise<false> {
    return this.#rpc('get', queue, false as const);
  }

  prefetch(count: number): Promise<Replies.Empty> {
    return this.#rpc('prefetch', String(count), {});
  }

  recover(): Promise<Replies.Empty> {
    return this.#rpc('recover', '', {});
  }

  ack(message: AmqpMessage): void {
    this.calls.push(`ack ${message.fields.deliveryTag}`);
  }

  ackAll(): void {
    this.calls.push('ackAll');
  }

  nack(message: AmqpMessage): void {
    this.calls.push(`nack ${message.fields.deliveryTag}`);
  }

  nackAll(): void {
    this.calls.push('nackAll');
  }

  reject(message: AmqpMessage): void {
    this.calls.push(`reject ${message.fields.deliveryTag}`);
  }

  waitForConfirms(): Promise<void> {
    return this.#rpc('waitForConfirms', '', undefined);
  }

  async close(): Promise<void> {
    const fault = { scope: 'channel', connection: this.connection, channel: this } as const;
    this.end(new AmqpError('channel closed by its owner', fault));
  }

  async #rpc<R>(method: string, name: string, reply: R): Promise<R> {
    const { loss } = this;
    if (loss !== undefined) {
      const { scope } = loss.fault;
      const fault = { scope, connection: this.connection, channel: this } as const;
      throw new AmqpError(`${method} on a closed channel`, fault, { cause: loss });
    }
    const call = `${method} ${name}`;
    this.calls.push(call);
    this.connection.calls.push(call);
    const answer = this.connection.answer(call);
    if (typeof answer === 'number') throw this.closeBy(answer);
    // What was asked is answered, or fails with the channel; never silently neither.
    await new Promise<void>((resolve, reject) => {
      this.#pending.add(reject);
      if (answer === 'ok') resolve();
      else this.#hung.add(resolve);
    });
    return reply;
  }
}
