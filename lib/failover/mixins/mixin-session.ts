import type { Channel } from '../../amqp/channel.js';
import { foreignConsumers } from '../../consumer.messages.js';
import { ConfigurationError } from '../../errors.js';
import { ChannelConsumer } from '../channel-consumer.js';
import type { ExtraContext } from '../consumer-hooks.js';
import type { FailoverConnection } from '../failover-connection.js';
import { hooked } from '../hooked.js';
import { disposeOf } from '../dispose-of.js';
import { consumerFactory } from './consumer-factory.js';
import type { ConsumerFactory, MixinConsumers, MixinHooks, MixinHost } from './mixin-hooks.js';
import { nameOf } from './mixin-hooks.js';
import type { ConsumeOptions } from './mixin-options.js';

/** One time that a mixin's consumers are made, consume and end. */
export class MixinSession {
  /** All that were made, so that none is left when one of them fails to start. */
  readonly #made: ChannelConsumer[] = [];
  #consumers: MixinConsumers = [];
  #channel: Channel | undefined;
  #context: ExtraContext;
  #hasConsumed = false;

  constructor(
    private readonly host: MixinHost,
    readonly connection: FailoverConnection,
    /** Aborted when it is to stop. */
    private readonly stop: AbortSignal,
  ) {}

  /** It has consumed: its end is no failure to start. */
  get hasConsumed(): boolean {
    return this.#hasConsumed;
  }

  /** Every one of its consumers is registered with every queue on a channel that lives. */
  get isConsuming(): boolean {
    return this.#hasConsumed && this.#consumers.every((one) => one.channel !== undefined);
  }

  /** Whether this is how one of its consumers, or its connection, came to an end. */
  isEnd(error: unknown): boolean {
    return this.#made.some((one) => one.ended !== undefined && one.ended === error);
  }

  /**
   * Makes the consumers and has them consume.
   *
   * @throws what `getConsumers` throws; TopologyError, AmqpError, ConnectionClosedError; the reason of the stop
   */
  async begin(): Promise<void> {
    const { host, connection, stop } = this;
    const channel = await connection.channel({ signal: stop });
    this.#channel = channel;
    const made = consumerFactory(host, connection);
    const consumer: ConsumerFactory = (queues, options) => {
      const one = made(queues, options);
      this.#made.push(one);
      return one;
    };
    this.#consumers = this.#checked(await host.getConsumers(consumer, channel));
    for (const one of this.#consumers) await one.consume({ signal: stop });
    this.#hasConsumed = true;
  }

  /**
   * Has the callbacks run, one message after the other. Yields their count after each.
   *
   * @throws what a callback throws; why a consumer or the connection has ended
   */
  async *messages({
    limit = Infinity,
    timeout = Infinity,
    safetyInterval = 1_000,
  }: ConsumeOptions) {
    const { host, connection, stop } = this;
    let handled = 0;
    let idle = 0;
    while (handled < limit && idle < timeout && !stop.aborted) {
      if (host.onIteration !== undefined)
        await this.#hook('onIteration', () => host.onIteration?.());
      const wait = Math.min(safetyInterval, timeout - idle);
      if (await connection.drain.nextWithin(wait, stop)) {
        handled += 1;
        idle = 0;
        yield handled;
      } else idle += wait;
    }
  }

  /** Sets up what the class adds to consuming. */
  async enter(): Promise<void> {
    const { host, connection } = this;
    const channel = this.#open;
    await this.#hook('extraContext', async () => {
      this.#context = await host.extraContext?.(connection, channel);
    });
    await this.#hook('onConsumeReady', () =>
      host.onConsumeReady?.(connection, channel, this.#consumers),
    );
  }

  /** Undoes all of it, in kombu's order. Never rejects. */
  async end(error?: Error): Promise<void> {
    const { host, connection } = this;
    await this.#hook('extraContext', () => disposeOf(this.#context));
    for (const one of this.#made) await one.cancel();
    if (this.#hasConsumed) {
      await this.#hook('onConsumeEnd', () => host.onConsumeEnd?.(connection, this.#open, error));
    }
    await this.#channel?.close();
  }

  get #open(): Channel {
    if (this.#channel === undefined) throw new Error('the session has not begun');
    return this.#channel;
  }

  /** Callbacks of a consumer of another connection would never run. */
  #checked(consumers: MixinConsumers): MixinConsumers {
    const ours = (one: unknown): boolean =>
      one instanceof ChannelConsumer && this.#made.includes(one);
    if (Array.isArray(consumers) && consumers.length > 0 && consumers.every(ours)) return consumers;
    throw new ConfigurationError(foreignConsumers(nameOf(this.host)));
  }

  #hook(hook: keyof MixinHooks, call: () => unknown): Promise<void> {
    return hooked(this.connection.parts, `${nameOf(this.host)}.${hook}`, call);
  }
}
