import type { ConsumeMessage } from 'amqplib';
import type { FakeChannel } from './fake-channel.js';
import type { FakeConnection } from './fake-connection.js';
import type { FakeTransport } from './fake-transport.js';

type OnMessage = (message: ConsumeMessage | null) => void;

/** What a test says of a message; the rest is as a plain JSON message from this package has it. */
export interface FakeMessage {
  readonly content?: string | undefined;
  readonly contentType?: string | undefined;
  readonly messageId?: string | undefined;
  readonly headers?: Record<string, unknown> | undefined;
  readonly redelivered?: boolean | undefined;
}

/** A delivery as amqplib gives it. */
export function delivery(deliveryTag: number, message: FakeMessage = {}): ConsumeMessage {
  const {
    content = '1',
    contentType = 'application/json',
    messageId,
    headers = {},
    redelivered = false,
  } = message;
  return {
    content: Buffer.from(content),
    fields: { consumerTag: 'tag', deliveryTag, redelivered, exchange: '', routingKey: 'orders' },
    properties: { contentType, messageId, headers },
  } as unknown as ConsumeMessage;
}

/** The registrations of one channel. As a real one, it refuses what is settled after its end, or with a tag it does not know. */
export class FakeDeliveries {
  readonly #consumers = new Map<string, OnMessage>();
  readonly #outstanding = new Set<number>();
  #tag = 0;
  /** As in `ack 1`, `reject 1 requeue`. */
  readonly settled: string[] = [];
  /** What a real broker would close the channel for. */
  readonly illegal: string[] = [];

  constructor(readonly channel: FakeChannel) {
    const consume = channel.consume.bind(channel);
    Object.assign(channel, {
      consume: async (queue: string, onMessage: OnMessage) => {
        const reply = await consume(queue);
        this.#consumers.set(queue, onMessage);
        return reply;
      },
      ack: (message: ConsumeMessage) => this.#settle('ack', message, ''),
      reject: (message: ConsumeMessage, requeue: boolean) =>
        this.#settle('reject', message, requeue),
      nack: (message: ConsumeMessage, _all: boolean, requeue: boolean) =>
        this.#settle('nack', message, requeue),
    });
  }

  get unsettled(): number {
    return this.#outstanding.size;
  }

  isRegistered(queue: string): boolean {
    return this.channel.loss === undefined && this.#consumers.has(queue);
  }

  /** Delivers at once, as from within the stack of a socket. @returns its delivery tag */
  deliver(message: FakeMessage = {}, queue = 'orders'): number {
    const onMessage = this.#consumers.get(queue);
    if (onMessage === undefined) throw new Error(`nobody consumes from ${queue}`);
    this.#tag += 1;
    this.#outstanding.add(this.#tag);
    onMessage(delivery(this.#tag, message));
    return this.#tag;
  }

  /** The broker cancels a registration. */
  cancel(queue = 'orders'): void {
    this.#consumers.get(queue)?.(null);
  }

  #settle(verb: string, { fields }: ConsumeMessage, requeue: boolean | ''): void {
    const { loss } = this.channel;
    if (loss !== undefined) throw loss;
    const told = `${verb} ${fields.deliveryTag}${requeue === true ? ' requeue' : ''}`;
    if (!this.#outstanding.delete(fields.deliveryTag)) this.illegal.push(told);
    this.settled.push(told);
  }
}

/** Has every channel of a transport deliver. @returns one for each channel that consumes or may, in order */
export function deliveringChannels(transport: FakeTransport): FakeDeliveries[] {
  const all: FakeDeliveries[] = [];
  const connect = transport.connect.bind(transport);
  transport.connect = async (broker, options): Promise<FakeConnection> => {
    const connection = await connect(broker, options);
    const open = connection.openChannel.bind(connection);
    connection.openChannel = async () => {
      const channel = await open();
      all.push(new FakeDeliveries(channel));
      return channel;
    };
    return connection;
  };
  return all;
}
