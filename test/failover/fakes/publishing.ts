import type { Options } from 'amqplib';
import { AmqpError } from '../../../lib/errors.js';
import type { FailoverConnectionOptions } from '../../../lib/failover/connection-options.js';
import { Producer } from '../../../lib/failover/producer.js';
import type { ProducerOptions, PublishOptions } from '../../../lib/failover/publish-options.js';
import type { FakeChannel } from './fake-channel.js';
import type { FakeConnection } from './fake-connection.js';
import { settled } from './fake-clock.js';
import { fakeSetting, watch } from './fake-setting.js';

/** One publish as it went to the wire. */
export interface Sent {
  /** Its number on its channel. */
  readonly tag: number;
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: string;
  readonly properties: Options.Publish;
  readonly on: PublishedChannel;
}

/** A confirm channel as its broker sees it. */
export class PublishedChannel {
  readonly sent: Sent[] = [];
  /** What `publish` answers: false is a full buffer. */
  writable = true;
  /** Thrown by `publish` instead of sending. */
  throws: (() => Error) | undefined;

  constructor(
    readonly fake: FakeChannel,
    readonly connection: FakeConnection,
    onSent: (sent: Sent) => void,
  ) {
    fake.publish = (exchange: string, routingKey: string, content?: Buffer, given?: object) => {
      if (fake.loss !== undefined) throw fake.loss;
      if (this.throws !== undefined) throw this.throws();
      const properties = { ...(given as Options.Publish) };
      properties.headers = { ...(properties.headers as object) };
      const tag = this.sent.length + 1;
      const body = String(content);
      const sent = { tag, exchange, routingKey, body, properties, on: this };
      this.sent.push(sent);
      onSent(sent);
      return this.writable;
    };
  }

  get open(): boolean {
    return this.fake.loss === undefined;
  }

  get keys(): string[] {
    return this.sent.map(({ routingKey }) => routingKey);
  }

  ack(deliveryTag: number, multiple = false): void {
    this.fake.emit('ack', { deliveryTag, multiple });
  }

  nack(deliveryTag: number, multiple = false): void {
    this.fake.emit('nack', { deliveryTag, multiple });
  }

  /** Gives a mandatory message back; its ack is still to come. */
  return(tag: number): void {
    const sent = this.sent[tag - 1];
    if (sent === undefined) throw new Error(`nothing was sent as ${tag}`);
    const { exchange, routingKey, properties } = sent;
    const fields = { exchange, routingKey, replyCode: 312, replyText: 'NO_ROUTE' };
    this.fake.emit('return', { fields, properties, content: Buffer.alloc(0) } as never);
  }

  drain(): void {
    this.writable = true;
    this.fake.emit('drain');
  }

  /** As amqplib's facade throws what it cannot encode. */
  refuseToEncode(message: string): void {
    const fault = { scope: 'operation', connection: this.connection, channel: this.fake } as const;
    this.throws = () => new AmqpError(message, fault);
  }
}

export interface PublishingOptions {
  readonly connection?: Partial<FailoverConnectionOptions>;
  readonly producer?: ProducerOptions;
  /** Called in a turn of its own for each publish that reached a broker. @default nothing, it is never answered */
  readonly broker?: (sent: Sent) => void;
}

/** A producer on a connection to brokers `a` and `b` in a world of fakes. */
export function publishingSetting(options: PublishingOptions = {}) {
  const setting = fakeSetting(options.connection);
  const channels: PublishedChannel[] = [];
  const { transport, connection, clock } = setting;
  const broker = { answer: options.broker ?? (() => undefined) };
  const onSent = (sent: Sent): void => {
    setImmediate(() => {
      if (sent.on.open) broker.answer(sent);
    });
  };
  const patched = new WeakSet<FakeConnection>();
  const connect = transport.connect.bind(transport);
  transport.connect = async (address, how) => {
    const opened = await connect(address, how);
    if (patched.has(opened)) return opened;
    patched.add(opened);
    const open = opened.openConfirmChannel.bind(opened);
    opened.openConfirmChannel = async () => {
      const fake = await open();
      channels.push(new PublishedChannel(fake, opened, onSent));
      return fake;
    };
    return opened;
  };
  const producer = new Producer(connection, options.producer);
  const publish = (routingKey: string, how: PublishOptions = {}, body: unknown = routingKey) =>
    watch(producer.publish(body, { routingKey, ...how }));
  return {
    ...setting,
    producer,
    broker,
    channels,
    publish,
    /** Lets everything happen that needs no time. */
    async settle(turns = 6): Promise<void> {
      for (let turn = 0; turn < turns; turn += 1) await settled();
    },
    /** Lets time pass bit by bit, and in between everything happen that needs none. */
    async pass(duration: number): Promise<void> {
      const bits = Math.min(duration, 100);
      await this.settle();
      for (let bit = 0; bit < bits; bit += 1) {
        await clock.advance(duration / bits);
        await this.settle();
      }
    },
    /** The channel that was opened last. */
    get channel(): PublishedChannel {
      const channel = channels.at(-1);
      if (channel === undefined) throw new Error('no channel was opened');
      return channel;
    },
    /** All that was sent, on whichever channel. */
    get sent(): Sent[] {
      return channels.flatMap(({ sent }) => sent);
    },
    /** Closes the producer, and lets the clock run until it is. */
    async close(timeout = 1_000): Promise<void> {
      const closed = producer.close({ timeout });
      await clock.advance(timeout);
      await closed;
    },
  };
}

export type PublishingSetting = ReturnType<typeof publishingSetting>;

/** A broker that confirms everything. */
export const confirms = ({ on, tag }: Sent): void => on.ack(tag);
