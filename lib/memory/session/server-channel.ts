import { preconditionFailed } from '../amqp-fault.js';
import type { MemoryQueue } from '../model/queue.js';
import type { QueuedMessage } from '../model/queued-message.js';
import type { VirtualHost } from '../model/virtual-host.js';
import type { Content } from '../wire/frame-writer.js';
import type { Fields, MethodName } from '../wire/method-table.js';
import type { ChannelConsumer } from './channel-consumer.js';
import { Confirms } from './confirms.js';
import type { Session } from './session.js';

/** A message that was delivered on a channel and is not settled. */
export interface Unacked {
  readonly queued: QueuedMessage;
  readonly queue: MemoryQueue;
  /** Undefined when it was got. */
  readonly consumer: ChannelConsumer | undefined;
}

/** An open channel: its consumers, what is unacked on it, its confirms. */
export class ServerChannel {
  readonly consumers = new Map<string, ChannelConsumer>();
  /** The prefetch of consumers to come; 0: no limit. */
  consumerPrefetch = 0;
  /** The prefetch of the channel as a whole; 0: no limit. */
  prefetch = 0;
  confirms: Confirms | undefined;
  /** The queue that an empty name stands for: the last one declared. */
  lastQueue: string | undefined;
  /** Of the consumer of `amq.rabbitmq.reply-to`, and the token that its address ends with. */
  replyConsumer: { readonly tag: string; readonly token: string } | undefined;
  readonly #unacked = new Map<number, Unacked>();
  #deliveryTag = 0;
  #delivered = 0;
  #ended = false;

  constructor(
    readonly session: Session,
    readonly number: number,
    readonly vhost: VirtualHost,
  ) {}

  get canDeliver(): boolean {
    return !this.#ended && this.session.canWrite;
  }

  /** Whether the prefetch of the channel has room. */
  get hasRoom(): boolean {
    return this.prefetch === 0 || this.#delivered < this.prefetch;
  }

  send<M extends MethodName>(method: M, fields: Fields<M>, content?: Content): void {
    this.session.send(this.number, method, fields, content);
  }

  confirm(): void {
    if (this.confirms !== undefined) return;
    this.confirms = new Confirms((kind, deliveryTag, multiple) => {
      if (kind === 'basic.ack') this.send(kind, { deliveryTag, multiple });
      else this.send(kind, { deliveryTag, multiple, requeue: false });
    });
  }

  deliver(queued: QueuedMessage, queue: MemoryQueue, consumer: ChannelConsumer): void {
    const deliveryTag = this.nextTag();
    if (!consumer.noAck) {
      this.#unacked.set(deliveryTag, { queued, queue, consumer });
      consumer.unacked += 1;
      this.#delivered += 1;
    }
    const message = queue.deliverable(queued, false);
    const { exchange, routingKey } = message;
    const redelivered = queued.returns > 0;
    const { tag: consumerTag } = consumer;
    this.send(
      'basic.deliver',
      { consumerTag, deliveryTag, redelivered, exchange, routingKey },
      message,
    );
  }

  got(queued: QueuedMessage, queue: MemoryQueue, noAck: boolean): void {
    const deliveryTag = this.nextTag();
    if (noAck) queue.settled(1);
    else this.#unacked.set(deliveryTag, { queued, queue, consumer: undefined });
    const message = queue.deliverable(queued, true);
    const { exchange, routingKey } = message;
    const redelivered = queued.returns > 0;
    const messageCount = queue.ready;
    this.send(
      'basic.get-ok',
      { deliveryTag, redelivered, exchange, routingKey, messageCount },
      message,
    );
  }

  get tagToCome(): number {
    return this.#deliveryTag + 1;
  }

  nextTag(): number {
    this.#deliveryTag += 1;
    return this.#deliveryTag;
  }

  /**
   * Takes out what a client answers for, in the order of the deliveries. With `multiple` that is all up to the tag, and tag 0
   * stands for everything.
   *
   * @throws AmqpFault when the tag is not outstanding
   */
  take(tag: number, multiple: boolean): Unacked[] {
    if (multiple && tag === 0) return this.takeAll();
    const last = this.#unacked.get(tag);
    if (last === undefined) throw preconditionFailed(`unknown delivery tag ${tag}`);
    if (!multiple) {
      this.#forget(tag, last);
      return [last];
    }
    const taken: Unacked[] = [];
    for (const [delivered, unacked] of this.#unacked) {
      if (delivered > tag) break;
      this.#forget(delivered, unacked);
      taken.push(unacked);
    }
    return taken;
  }

  takeAll(): Unacked[] {
    const all = [...this.#unacked.values()];
    for (const [tag, unacked] of this.#unacked) this.#forget(tag, unacked);
    return all;
  }

  /** The queue of a consumer has gone, or somebody on the broker's side has cancelled it. */
  cancelled({ tag: consumerTag }: ChannelConsumer): void {
    this.consumers.delete(consumerTag);
    if (this.#ended || !this.session.client.hearsCancels) return;
    this.send('basic.cancel', { consumerTag, nowait: true });
  }

  cancel(consumer: ChannelConsumer): void {
    this.consumers.delete(consumer.tag);
    if (consumer.queue.unsubscribe(consumer)) this.vhost.removeQueue(consumer.queue);
  }

  /** Lets the queues of its consumers know that there is room again. */
  serve(): void {
    for (const { queue } of this.consumers.values()) queue.serve();
  }

  /** It is over: its consumers go, and what is unacked goes back. */
  end(): void {
    if (this.#ended) return;
    this.confirms?.flush();
    this.#ended = true;
    for (const consumer of this.consumers.values()) consumer.queue.consumers.remove(consumer);
    requeue(this.takeAll(), true);
    for (const consumer of this.consumers.values()) this.cancel(consumer);
    if (this.replyConsumer !== undefined)
      this.session.host.replies.delete(this.replyConsumer.token);
  }

  #forget(tag: number, { consumer }: Unacked): void {
    this.#unacked.delete(tag);
    if (consumer === undefined) return;
    consumer.unacked -= 1;
    this.#delivered -= 1;
  }
}

/** Calls `each` once for each queue, with what came from it. */
export function byQueue(
  taken: readonly Unacked[],
  each: (queue: MemoryQueue, messages: QueuedMessage[]) => void,
): void {
  const [first] = taken;
  if (first !== undefined && taken.length === 1) {
    each(first.queue, [first.queued]);
    return;
  }
  const groups = new Map<MemoryQueue, QueuedMessage[]>();
  for (const { queue, queued } of taken) {
    const group = groups.get(queue);
    if (group === undefined) groups.set(queue, [queued]);
    else group.push(queued);
  }
  for (const [queue, messages] of groups) each(queue, messages);
}

/** @param lost nobody asked for it: their channel has ended */
export const requeue = (taken: readonly Unacked[], lost = false): void =>
  byQueue(taken, (queue, messages) => queue.requeue(messages, lost));
