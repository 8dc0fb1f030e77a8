import { EventEmitter } from 'node:events';
import type { Broker } from '../../../lib/amqp/broker.js';
import type { Channel, ConfirmChannel } from '../../../lib/amqp/channel.js';
import type { BrokerConnection, ConnectOptions, Transport } from '../../../lib/amqp/transport.js';
import { AmqpError, ConnectError } from '../../../lib/errors.js';

type OnDelivery = Parameters<Channel['consume']>[1];

/** A channel of a fake broker: every RPC succeeds, every publish is confirmed in the next microtask. */
class FakeChannel extends EventEmitter {
  loss: AmqpError | undefined;
  #published = 0;

  constructor(
    readonly connection: FakeConnection,
    private readonly brokers: FakeBrokers,
  ) {
    super();
  }

  async assertQueue(queue = 'amq.gen') {
    this.#refuse(queue);
    this.brokers.declared.push(queue);
    return { queue, messageCount: 0, consumerCount: 0 };
  }

  async assertExchange(exchange: string) {
    this.#refuse(exchange);
    this.brokers.declared.push(exchange);
    return { exchange };
  }

  checkQueue = async (queue: string) => ({ queue, messageCount: 0, consumerCount: 0 });
  checkExchange = async () => ({});
  bindQueue = async () => ({});
  bindExchange = async () => ({});
  prefetch = async () => ({});
  waitForConfirms = async () => undefined;

  async consume(queue: string, onDelivery: OnDelivery) {
    this.#refuse(queue);
    const consumerTag = `${queue}-${this.brokers.consumers.size}`;
    this.brokers.consumers.set(consumerTag, { queue, onDelivery, on: this.connection });
    return { consumerTag };
  }

  async cancel(consumerTag: string) {
    this.brokers.consumers.delete(consumerTag);
    return { consumerTag };
  }

  publish(_exchange: string, routingKey: string, content: Buffer): boolean {
    this.#published += 1;
    const deliveryTag = this.#published;
    this.brokers.published.push({ routingKey, content: content.toString(), on: this.connection });
    queueMicrotask(() => this.emit('ack', { deliveryTag, multiple: false }));
    return true;
  }

  ack(delivery: { fields: { deliveryTag: number } }): void {
    this.brokers.settled.push(`ack ${delivery.fields.deliveryTag}`);
  }

  reject(delivery: { fields: { deliveryTag: number } }, requeue = true): void {
    this.brokers.settled.push(`${requeue ? 'requeue' : 'reject'} ${delivery.fields.deliveryTag}`);
  }

  async close(): Promise<void> {
    this.end(this.fault('closed', 'channel'));
  }

  end(loss: AmqpError): void {
    if (this.loss !== undefined) return;
    this.loss = loss;
    this.emit('close', loss);
  }

  fault(message: string, scope: 'channel' | 'connection', code?: number): AmqpError {
    return new AmqpError(message, { scope, code, connection: this.connection, channel: this });
  }

  #refuse(entity: string): void {
    const code = this.brokers.refusals.get(entity);
    if (code === undefined) return;
    const loss = this.fault(`${code} for '${entity}'`, 'channel', code);
    this.end(loss);
    throw loss;
  }
}

export class FakeConnection implements BrokerConnection {
  readonly serverProperties = { clusterName: 'fakes' };
  readonly frameMax = 131_072;
  loss: AmqpError | undefined;
  blocked: string | undefined;
  readonly #channels: FakeChannel[] = [];
  readonly #onEnd: ((loss: AmqpError) => void)[] = [];

  constructor(
    readonly broker: Broker,
    readonly options: ConnectOptions,
    private readonly brokers: FakeBrokers,
  ) {}

  onEnd(listener: (loss: AmqpError) => void): void {
    this.#onEnd.push(listener);
  }

  onBlocked(): void {}

  async openChannel(): Promise<Channel> {
    if (this.loss !== undefined) throw this.loss;
    const channel = new FakeChannel(this, this.brokers);
    this.#channels.push(channel);
    return channel as unknown as Channel;
  }

  async openConfirmChannel(): Promise<ConfirmChannel> {
    return (await this.openChannel()) as ConfirmChannel;
  }

  async close(): Promise<void> {
    this.destroy(new Error('closed'));
  }

  destroy(reason: Error): void {
    if (this.loss !== undefined) return;
    const loss = new AmqpError(reason.message, { scope: 'connection', connection: this });
    this.loss = loss;
    for (const [tag, { on }] of this.brokers.consumers) {
      if (on === this) this.brokers.consumers.delete(tag);
    }
    for (const channel of this.#channels) channel.end(loss);
    for (const listener of this.#onEnd) listener(loss);
  }
}

/** Brokers without sockets: steered and looked at by a test. */
export class FakeBrokers implements Transport {
  /** By host: why it cannot be connected to. */
  readonly down = new Map<string, 'unreachable' | 'refused'>();
  /** By name of a queue or exchange: the reply code with which its declaration, or consuming from it, is refused. */
  readonly refusals = new Map<string, number>();
  readonly dials: string[] = [];
  readonly connections: FakeConnection[] = [];
  readonly declared: string[] = [];
  readonly published: { routingKey: string; content: string; on: FakeConnection }[] = [];
  readonly settled: string[] = [];
  readonly consumers = new Map<
    string,
    { readonly queue: string; readonly onDelivery: OnDelivery; readonly on: FakeConnection }
  >();
  #delivered = 0;

  async connect(broker: Broker, options: ConnectOptions): Promise<BrokerConnection> {
    this.dials.push(broker.hostname);
    const reason = this.down.get(broker.hostname);
    if (reason !== undefined) {
      throw new ConnectError(`${broker.hostname} is ${reason}`, reason, broker.toString());
    }
    const connection = new FakeConnection(broker, options, this);
    this.connections.push(connection);
    return connection;
  }

  get open(): readonly FakeConnection[] {
    return this.connections.filter(({ loss }) => loss === undefined);
  }

  /** The open connection of that role: `producer` or `consumer`. */
  connectionOf(role: string): FakeConnection {
    const found = this.open.find(({ options }) => options.connectionName.includes(role));
    if (found === undefined) throw new Error(`no open connection of a ${role}`);
    return found;
  }

  /** Delivers one message to the first consumer of the queue. */
  deliver(queue: string, body: unknown, contentType = 'application/json'): void {
    const consumer = [...this.consumers].find(([, one]) => one.queue === queue);
    if (consumer === undefined) throw new Error(`nobody consumes ${queue}`);
    const [consumerTag, { onDelivery }] = consumer;
    this.#delivered += 1;
    onDelivery({
      content: Buffer.from(JSON.stringify(body)),
      fields: {
        consumerTag,
        deliveryTag: this.#delivered,
        redelivered: false,
        exchange: '',
        routingKey: queue,
      },
      properties: { contentType, headers: {} },
    } as unknown as Parameters<OnDelivery>[0]);
  }
}
