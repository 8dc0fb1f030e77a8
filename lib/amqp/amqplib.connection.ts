import type { ServerProperties as AmqplibServerProperties } from 'amqplib/callback_api';
import { AmqpError } from '../errors.js';
import type { Clock } from '../policy/clock.js';
import { closeReply } from './amqp-methods.js';
import { AmqplibChannel } from './amqplib.channel.js';
import type { ChannelSurroundings } from './amqplib.channel-record.js';
import { AmqplibConfirmChannel } from './amqplib.confirm-channel.js';
import { amqplibMessages as messages } from './amqplib.messages.js';
import { openingOf, socketConnectionOf, unsentOf } from './amqplib.shapes.js';
import type { AmqplibCallback, AmqplibModel, AmqplibSocketConnection } from './amqplib.shapes.js';
import type { Broker } from './broker.js';
import { ChannelNumbers } from './channel-numbers.js';
import type { Channel, ConfirmChannel } from './channel.js';
import { corkWrites } from './corked-socket.js';
import { atMost } from './deadline.js';
import { Listeners } from './listeners.js';
import type { ReportListenerError } from './listeners.js';
import type { BrokerConnection, ServerProperties } from './transport.js';

/** Durations are milliseconds. */
export interface AmqplibConnectionOptions {
  readonly clock: Clock;
  readonly rpcTimeout: number;
  readonly closeTimeout: number;
  readonly report: ReportListenerError;
}

/** One open connection over amqplib. To be made in the very call by which amqplib hands over its model. */
export class AmqplibConnection implements BrokerConnection {
  readonly serverProperties: ServerProperties;
  readonly frameMax: number;
  readonly #model: AmqplibModel;
  readonly #raw: AmqplibSocketConnection;
  readonly #surroundings: ChannelSurroundings;
  readonly #channels = new Set<AmqplibChannel>();
  readonly #numbers = new ChannelNumbers();
  readonly #ends: Listeners<[AmqpError]>;
  readonly #blockings: Listeners<[string | undefined]>;
  readonly #gone: Promise<void>;
  #tellGone = (): void => {};
  #loss: AmqpError | undefined;
  #finished = false;
  #blocked: string | undefined;
  #closing: Promise<void> | undefined;
  #first: Channel | undefined;

  constructor(
    readonly broker: Broker,
    model: AmqplibModel,
    { clock, rpcTimeout, closeTimeout, report }: AmqplibConnectionOptions,
  ) {
    const raw = socketConnectionOf(model);
    // amqplib forwards its connection's events to the model, but not 'handler-error'; each emitter needs its own listener
    // for 'error', or the throw of the missing one ends the process.
    raw.on('handler-error', (error: unknown, event: unknown) =>
      report(error, `connection '${String(event)}'`),
    );
    model.on('handler-error', (error, event) => report(error, `model '${event}'`));
    raw.on('error', (error: unknown) => this.#lost(error));
    model.on('error', (error) => this.#lost(error));
    model.on('close', (error) => this.#lost(error));
    model.on('blocked', (reason) => this.#block(reason));
    model.on('unblocked', () => this.#block(undefined));
    corkWrites(raw.stream);
    this.#model = model;
    this.#raw = raw;
    this.#surroundings = { connection: this, clock, rpcTimeout, closeTimeout, report };
    this.#ends = new Listeners('onEnd listener', report);
    this.#blockings = new Listeners('onBlocked listener', report);
    this.#gone = new Promise((resolve) => {
      this.#tellGone = resolve;
    });
    this.serverProperties = serverPropertiesOf(raw.serverProperties);
    this.frameMax = raw.frameMax;
  }

  get loss(): AmqpError | undefined {
    return this.#loss;
  }

  get blocked(): string | undefined {
    return this.#blocked;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const state = this.#loss === undefined ? 'open' : 'ended';
    return `BrokerConnection { ${this.broker.toString()}, ${this.#blocked === undefined ? state : `${state}, blocked`} }`;
  }

  onEnd(listener: (loss: AmqpError) => void): void {
    this.#ends.add(listener);
    if (this.#finished) this.#tellEnd();
  }

  onBlocked(listener: (reason: string | undefined) => void): void {
    this.#blockings.add(listener);
  }

  /** Opens the first channel, as proof that the broker serves us; the first `openChannel` gets it. */
  async prove(): Promise<void> {
    this.#first = await this.openChannel();
  }

  openChannel(): Promise<Channel> {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined && first.loss === undefined) return Promise.resolve(first);
    return this.#open(
      (opened) => this.#model.createChannel(opened),
      (raw) => new AmqplibChannel(raw, this.#surroundings),
    );
  }

  openConfirmChannel(): Promise<ConfirmChannel> {
    return this.#open(
      (opened) => this.#model.createConfirmChannel(opened),
      (raw) => new AmqplibConfirmChannel(raw, this.#surroundings),
    );
  }

  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  destroy(reason: Error): void {
    this.#lost(reason);
    this.#raw.stream.destroy(reason);
  }

  async #open<R extends object, C extends AmqplibChannel>(
    create: (opened: AmqplibCallback<unknown>) => R,
    facade: (raw: R) => C,
  ): Promise<C> {
    const { clock, rpcTimeout } = this.#surroundings;
    const free = this.#numbers.free();
    if (free !== undefined) await atMost(clock, rpcTimeout, Promise.race([free, this.#gone]));
    if (this.#loss !== undefined) throw this.#fault('channel.open', this.#loss);
    const opening = openingOf();
    let channel: C;
    try {
      const raw = create(opening.tell);
      channel = facade(raw);
      this.#numbers.opened(unsentOf(this.#raw, raw));
    } catch (error) {
      // amqplib cannot send any more, and tells of it only here when it had ended before we could listen.
      this.#lost(error);
      throw this.#fault('channel.open', this.#loss ?? error);
    }
    const refusal = opening.refusal();
    if (refusal !== undefined) throw this.#noChannelLeft(refusal);
    this.#channels.add(channel);
    channel.on('close', () => this.#channels.delete(channel));
    await channel.rpc('channel.open', opening.listen);
    return channel;
  }

  async #shut(): Promise<void> {
    const { clock, closeTimeout } = this.#surroundings;
    if (this.#loss === undefined) await atMost(clock, closeTimeout, this.#handshake());
    this.#finish();
    await this.#gone;
  }

  async #handshake(): Promise<void> {
    // A connection's close overtakes what its channels have not sent yet; a blocking broker reads neither.
    if (this.#blocked === undefined) {
      await Promise.race([
        Promise.all(Array.from(this.#channels, (channel) => channel.close())),
        this.#gone,
      ]);
    }
    if (this.#loss !== undefined) return;
    this.#lose(this.#ended(messages.connectionClosed(String(this.broker))));
    try {
      this.#model.close();
    } catch {
      return;
    }
    await this.#gone;
  }

  #lost(error: unknown): void {
    if (this.#loss === undefined) {
      const message = messages.connectionLost(String(this.broker), error);
      this.#lose(this.#ended(message, error));
    }
    queueMicrotask(() => this.#finish());
  }

  #lose(loss: AmqpError): void {
    this.#loss = loss;
    for (const channel of this.#channels) channel.connectionLost();
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    if (this.#loss === undefined) {
      this.#lose(this.#ended(messages.connectionClosed(String(this.broker))));
    }
    // amqplib only ends the socket, which waits for a peer that may be gone; destroyed without an error it tells nobody.
    this.#raw.stream.destroy(new Error(messages.socketDropped(String(this.broker))));
    this.#first = undefined;
    this.#channels.clear();
    this.#blockings.clear();
    this.#tellEnd();
    this.#tellGone();
  }

  #tellEnd(): void {
    if (this.#loss !== undefined) this.#ends.tell(this.#loss);
    this.#ends.clear();
  }

  #block(reason: string | undefined): void {
    if (this.#loss !== undefined) return;
    this.#blocked = reason;
    this.#blockings.tell(reason);
  }

  #ended(message: string, cause?: unknown): AmqpError {
    const fault = {
      scope: 'connection',
      code: closeReply(cause).code,
      connection: this,
    } as const;
    return new AmqpError(message, fault, cause === undefined ? undefined : { cause });
  }

  /** Neither another connection nor another try would help: whoever holds the channels has to close some. */
  #noChannelLeft(cause: Error): AmqpError {
    const fault = { scope: 'operation', connection: this } as const;
    return new AmqpError(messages.noChannelLeft(String(this.broker)), fault, { cause });
  }

  #fault(operation: string, cause: unknown): AmqpError {
    const message = messages.operationOnLostConnection(operation, String(this.broker), cause);
    const fault = { scope: 'connection', code: this.#loss?.code, connection: this } as const;
    return new AmqpError(message, fault, { cause });
  }
}

const serverPropertiesOf = (properties: AmqplibServerProperties): ServerProperties => {
  const text = (key: string): string | undefined => {
    const value: unknown = properties[key];
    return typeof value === 'string' ? value : undefined;
  };
  return { product: text('product'), version: text('version'), clusterName: text('cluster_name') };
};
