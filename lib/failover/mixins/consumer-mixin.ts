import type { Channel } from '../../amqp/channel.js';
import { noConnection, runsAlready } from '../../consumer.messages.js';
import { ConfigurationError } from '../../errors.js';
import { checkOptions, count, duration } from '../../policy/check-options.js';
import type { ConsumerState } from '../../policy/consumer-state.js';
import type { ExtraContext } from '../consumer-hooks.js';
import { FailoverConnection } from '../failover-connection.js';
import type { Message } from '../message.js';
import type { ConsumerFactory, MixinConsumers, MixinHooks } from './mixin-hooks.js';
import type { ConsumeOptions } from './mixin-options.js';
import { checkConsumeOptions } from './mixin-options.js';
import { MixinRun } from './mixin-run.js';

/**
 * kombu's `ConsumerMixin`: a class whose `getConsumers` says what is consumed and by which callbacks, and whose `run()` sees to it
 * that this goes on: after each loss, and each deletion or cancellation, the consumers are made anew on a connection that
 * lives. Callbacks run one after the other and settle their messages themselves. Every hook of kombu's can be added as a method.
 *
 * @example
 * ```ts
 * class Worker extends ConsumerMixin {
 *   constructor(readonly connection: FailoverConnection) {
 *     super();
 *   }
 *   getConsumers(consumer: ConsumerFactory) {
 *     return [consumer(orders, { callbacks: [(order, message) => message.ack()] })];
 *   }
 * }
 * await new Worker(connection).run();
 * ```
 */
export abstract class ConsumerMixin implements MixinHooks {
  /** Says which brokers there are. It is not opened: see `createConnection`. */
  abstract readonly connection: FailoverConnection;

  /** Rounds of failed attempts to connect after the first one; then `run()` rejects. @default undefined no limit */
  readonly connectMaxRetries: number | undefined;

  #run: MixinRun | undefined;
  /** The run whose session the next `consume()` is, which a class may override. */
  #turn: MixinRun | undefined;
  #shouldStop = false;

  /** Makes the consumers of a session. Called after each loss as well. */
  abstract getConsumers(
    consumer: ConsumerFactory,
    channel: Channel,
  ): MixinConsumers | Promise<MixinConsumers>;

  onConnectionError?(error: Error, interval: number, broker: string): unknown;
  onConnectionRevived?(): unknown;
  extraContext?(
    connection: FailoverConnection,
    channel: Channel,
  ): ExtraContext | Promise<ExtraContext>;
  onConsumeReady?(
    connection: FailoverConnection,
    channel: Channel,
    consumers: MixinConsumers,
  ): unknown;
  onIteration?(): unknown;
  onDecodeError?(message: Message, error: Error): unknown;
  onConsumeEnd?(connection: FailoverConnection, channel: Channel, error?: Error): unknown;

  /** The connection that a run consumes on, and closes at its end. By default a clone of `connection`. */
  createConnection(): FailoverConnection {
    return this.connection.clone();
  }

  /** Where the run stands. Only `consuming` means that every consumer is registered with every queue of its own. */
  get state(): ConsumerState {
    return this.#run?.state ?? { status: 'idle' };
  }

  /**
   * Set to true it ends the run: at once while it waits, whatever for; after a callback that runs. It stays true until it is
   * set to false, which lets `run()` be called again.
   */
  get shouldStop(): boolean {
    return this.#shouldStop;
  }

  set shouldStop(stop: boolean) {
    this.#shouldStop = stop;
    if (stop) this.#run?.stop();
  }

  /**
   * Consumes until it is to stop. With `limit` or `timeout` it resolves after so many messages, or when none came for so long.
   *
   * @throws what a callback or `getConsumers` throws; what it had not settled goes back to its queue
   * @throws OperationalError when `connectMaxRetries` is used up
   * @throws TopologyError when at its first start a queue or exchange exists with other arguments
   * @throws ConfigurationError when it consumes already
   */
  async run(options: ConsumeOptions = {}): Promise<void> {
    checkConsumeOptions(`${this.constructor.name}.run`, options);
    const run = this.#begin('run');
    await Promise.race([this.#work(run, options), run.abandoned]);
  }

  /**
   * One session, message by message: `for await (const handled of worker.consume({ limit: 10 }))`, where `handled` counts them. It
   * ends after `limit` messages, when none came for `timeout`, when it is to stop, or with the loop over it; and, other than `run()`, with a loss.
   *
   * @throws as `run()` does, and AmqpError when a consumer or the connection was lost
   */
  async *consume(options: ConsumeOptions = {}): AsyncGenerator<number, void, undefined> {
    checkConsumeOptions(`${this.constructor.name}.consume`, options);
    const turn = this.#turn;
    this.#turn = undefined;
    if (turn !== undefined) {
      yield* turn.session(options);
      return;
    }
    const own = this.#begin('consume');
    let failed: unknown;
    try {
      yield* own.session(options);
    } catch (error) {
      failed = error;
      throw error;
    } finally {
      await own.end(failed);
    }
  }

  /**
   * Stops as `shouldStop` does, and waits until the run has ended; for no longer than `timeout` milliseconds, after which it is
   * left to itself: its connection is closed, so that a message in hand goes back to its queue. Never rejects.
   */
  async stop({ timeout = 20_000 }: { readonly timeout?: number } = {}): Promise<void> {
    checkOptions(`${this.constructor.name}.stop`, { timeout }, { timeout: duration() });
    this.shouldStop = true;
    await this.#run?.overWithin(timeout);
  }

  /** Called once at the end of a run, before its connection is closed, by classes that have more to close. */
  protected async onRunEnd(): Promise<void> {
    // Nothing of its own.
  }

  async #work(run: MixinRun, { limit, ...options }: ConsumeOptions): Promise<void> {
    let handled = 0;
    let failed: unknown;
    try {
      while (!run.isStopping) {
        await run.turn();
        this.#turn = run;
        try {
          const before = handled;
          const left = limit === undefined ? undefined : limit - before;
          for await (const done of this.consume({ ...options, limit: left }))
            handled = before + done;
          return;
        } catch (error) {
          await run.recovered(error);
        }
      }
    } catch (error) {
      failed = error;
      throw error;
    } finally {
      if (this.#turn === run) this.#turn = undefined;
      await run.end(failed);
    }
  }

  /** @throws ConfigurationError when it consumes already, or has no connection */
  #begin(verb: string): MixinRun {
    const { name } = this.constructor;
    if (this.#run?.isOver === false) throw new ConfigurationError(runsAlready(name, verb));
    if (!(this.connection instanceof FailoverConnection)) {
      throw new ConfigurationError(noConnection(name));
    }
    const { connectMaxRetries } = this;
    checkOptions(name, { connectMaxRetries }, { connectMaxRetries: count() });
    const run = new MixinRun(this, this.createConnection(), {
      connectMaxRetries,
      onEnd: () => this.onRunEnd(),
    });
    this.#run = run;
    if (this.#shouldStop) run.stop();
    return run;
  }
}
