import type { Broker } from '../../../lib/amqp/broker.js';
import type { BrokerConnection, ServerProperties } from '../../../lib/amqp/transport.js';
import { AmqpError } from '../../../lib/errors.js';
import { FakeChannel } from './fake-channel.js';

/** An RPC is answered, never answered, or fails with a reply code that closes its channel. */
export type Answer = 'ok' | 'hang' | number;

/** An open connection that the test drops, blocks, and tells how to answer. */
export class FakeConnection implements BrokerConnection {
  #loss: AmqpError | undefined;
  #blocked: string | undefined;
  #names = 0;
  #told = false;
  readonly #ends = new Set<(loss: AmqpError) => void>();
  readonly #blockings = new Set<(reason: string | undefined) => void>();
  readonly channels: FakeChannel[] = [];
  /** The RPCs of all channels, in order. */
  readonly calls: string[] = [];
  /** Why it was destroyed, if it was. */
  destroyed: Error | undefined;
  closeCalls = 0;
  readonly frameMax: number;
  /** `close()` never settles. */
  closeHangs = false;
  /** `openChannel()` is not answered until the connection ends. */
  openHangs = false;
  /** Each channel is closed by the broker as soon as it is open. */
  closesAtOnce = false;
  answer: (call: string) => Answer = () => 'ok';

  constructor(
    readonly broker: Broker,
    readonly serverProperties: ServerProperties,
  ) {
    this.frameMax = broker.frameMax ?? 131_072;
  }

  get loss(): AmqpError | undefined {
    return this.#loss;
  }

  get blocked(): string | undefined {
    return this.#blocked;
  }

  onEnd(listener: (loss: AmqpError) => void): void {
    this.#ends.add(listener);
    if (this.#told && this.#loss !== undefined) listener(this.#loss);
  }

  onBlocked(listener: (reason: string | undefined) => void): void {
    this.#blockings.add(listener);
  }

  openChannel(): Promise<FakeChannel> {
    return this.#open(false);
  }

  openConfirmChannel(): Promise<FakeChannel> {
    return this.#open(true);
  }

  async close(): Promise<void> {
    this.closeCalls += 1;
    if (this.closeHangs) await new Promise<void>(() => undefined);
    // A real one tells of its end only when its channels are closed.
    await Promise.all(this.channels.map((channel) => channel.close()));
    this.#end('closed by its owner');
  }

  destroy(reason: Error): void {
    this.destroyed = reason;
    this.#end('destroyed');
  }

  /** The broker or the network drops it, with a reply code or without. Pending operations fail before `onEnd` is told. */
  drop(code?: number): AmqpError {
    return this.#end(`lost${code === undefined ? '' : `: ${code}`}`, code);
  }

  block(reason: string | undefined): void {
    this.#blocked = reason;
    for (const listener of this.#blockings) listener(reason);
  }

  serverNamedQueue(): string {
    this.#names += 1;
    return `amq.gen-${this.#names}`;
  }

  /** The channels that nobody has closed. */
  get openChannels(): readonly FakeChannel[] {
    return this.channels.filter(({ loss }) => loss === undefined);
  }

  async #open(confirms: boolean): Promise<FakeChannel> {
    if (this.#loss !== undefined) throw this.#fault('channel.open on a lost connection');
    const channel = new FakeChannel(this, confirms);
    this.channels.push(channel);
    if (this.closesAtOnce) channel.closeBy(504);
    if (this.openHangs) {
      await new Promise<void>((_, reject) => {
        this.onEnd(() => reject(this.#fault('channel.open')));
      });
    }
    return channel;
  }

  #fault(message: string, code?: number): AmqpError {
    return new AmqpError(message, { scope: 'connection', code, connection: this });
  }

  #end(message: string, code?: number): AmqpError {
    if (this.#loss !== undefined) return this.#loss;
    const loss = this.#fault(`${this.broker.asUri()} ${message}`, code);
    this.#loss = loss;
    for (const channel of this.channels) channel.end(loss);
    queueMicrotask(() => {
      this.#told = true;
      for (const listener of this.#ends) listener(loss);
    });
    return loss;
  }
}
