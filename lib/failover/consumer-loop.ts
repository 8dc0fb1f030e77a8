import { isTopologyError } from '../errors.js';
import { consumerEnded, consumerStartFailed, consuming } from '../failover.messages.js';
import { duration, checkOptions } from '../policy/check-options.js';
import type { ConsumeEndReason, ConsumerState } from '../policy/consumer-state.js';
import { consumerTransition } from '../policy/consumer-state.js';
import { interval } from '../policy/interval.js';
import { isMismatch } from '../policy/reply-codes.js';
import type { TokenBucket } from '../policy/token-bucket.js';
import { restartLimit, takeToken } from '../policy/token-bucket.js';
import type { ConnectionParts } from './connection-parts.js';
import type { ConsumerDefinition } from './consumer-definition.js';
import type { ResolvedConsumerOptions } from './consumer-options.js';
import { resolveConsumerOptions } from './consumer-options.js';
import { ConsumerSession } from './consumer-session.js';
import { DeliveryAttempts } from './delivery-attempts.js';
import type { FailoverConnection } from './failover-connection.js';
import { hooked } from './hooked.js';
import type { Link } from './link.js';
import { pause } from './patience.js';

/** How long the handlers of a cancelled registration may still ack, in milliseconds. */
const SETTLE_TIMEOUT = 30_000;

const asError = (value: unknown): Error =>
  value instanceof Error ? value : new Error(String(value));

/**
 * Keeps one consumer consuming. Each end of its session leads back to declare, qos and consume: connection lost, channel
 * closed, queue deleted, cancelled by the broker. It retries for ever, with backoff and loudly; only a mismatch at start is
 * fatal.
 */
export class ConsumerLoop {
  readonly name: string;
  readonly #parts: ConnectionParts;
  readonly #options: ResolvedConsumerOptions;
  readonly #attempts = new DeliveryAttempts();
  readonly #run = new AbortController();
  #state: ConsumerState = { status: 'idle' };
  #lastError: Error | undefined;
  #session: ConsumerSession | undefined;
  #started: Promise<void> | undefined;
  #worked: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  /** Cancelled sessions whose handlers still run, by what cuts them short. */
  readonly #draining = new Map<AbortController, Promise<void>>();
  #restarts: TokenBucket = { tokens: restartLimit.capacity, at: 0 };
  #failures = 0;

  /** @throws ConfigurationError naming the consumer, the option, its value and what is allowed */
  constructor(
    connection: FailoverConnection,
    private readonly definition: ConsumerDefinition,
  ) {
    const { name, handle: _handle, hooks: _hooks, ...options } = definition;
    this.name = name;
    this.#options = resolveConsumerOptions(name, options);
    this.#parts = connection.parts;
    this.#parts.topology.add(...this.#options.queues);
  }

  /** Only `consuming` means that the broker has confirmed a registration of every queue on a channel that still lives. */
  get state(): ConsumerState {
    const state = this.#state;
    // The end of a session is known before the loop has come round to it: a hook of the user's may be in between.
    if (state.status !== 'consuming' || this.#session?.isConsuming === true) return state;
    return { status: 'starting', since: state.since };
  }

  /** The last error that kept it from consuming, or ended it. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /**
   * Starts, and resolves when it consumes for the first time.
   *
   * @throws TopologyError when a queue or exchange exists with other arguments: that will not mend itself
   */
  start(): Promise<void> {
    this.#started ??= new Promise((resolve, reject) => {
      this.#worked = this.#work(resolve).catch(reject);
    });
    return this.#started;
  }

  /**
   * Cancels, waits for the handlers that run, at most `timeout` milliseconds, and flushes their acks. Messages that are in
   * hand after that go back to the queue. Idempotent; never rejects.
   */
  stop({ timeout = 20_000 }: { readonly timeout?: number } = {}): Promise<void> {
    checkOptions('ConsumerLoop.stop', { timeout }, { timeout: duration() });
    this.#stopping ??= this.#stop(timeout);
    return this.#stopping;
  }

  async #stop(timeout: number): Promise<void> {
    const { clock } = this.#parts;
    const late = new AbortController();
    const cancel = clock.schedule(timeout, () => {
      late.abort();
      for (const drain of this.#draining.keys()) drain.abort();
    });
    this.#move({ status: 'stopping', since: clock.now() });
    this.#run.abort();
    await this.#session?.stop('stopped', late.signal);
    await Promise.all(this.#draining.values());
    await this.#worked;
    cancel();
    this.#move({ status: 'stopped', since: clock.now() });
  }

  /** @throws what is fatal at start */
  async #work(started: () => void): Promise<void> {
    const { signal } = this.#run;
    const { clock, options, random, logger } = this.#parts;
    let hasConsumed = false;
    for (let last: Link | undefined; !signal.aborted;) {
      try {
        this.#move({ status: 'starting', since: clock.now() });
        await this.#waitForToken(signal);
        const link = await this.#parts.loop.wait({ signal, bearsRefusal: true });
        if (link !== last) await this.#hook(() => this.definition.hooks?.onConnectionRevived?.());
        last = link;
        const session = await this.#consume(link);
        hasConsumed = true;
        this.#failures = 0;
        started();
        await this.#consumeToEnd(session);
      } catch (caught) {
        if (signal.aborted) return;
        const error = asError(caught);
        this.#lastError = error;
        // Lost while starting: the next connection is worth a try at once.
        if (last !== undefined && !last.live) continue;
        if (!hasConsumed && isTopologyError(error) && isMismatch(error.code)) {
          this.#move({ status: 'failed', since: clock.now(), error });
          throw error;
        }
        const wait = interval(options, this.#failures, random);
        this.#failures += 1;
        logger.error(consumerStartFailed(this.name, error, wait));
        const since = clock.now();
        this.#move({ status: 'waiting', since, until: since + wait, error });
        await pause(clock, wait, signal).catch(() => undefined);
      }
    }
  }

  async #waitForToken(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const { bucket, wait } = takeToken(this.#restarts, clock.now());
    this.#restarts = bucket;
    if (wait > 0) await pause(clock, wait, signal);
  }

  async #consume(link: Link): Promise<ConsumerSession> {
    const channel = await link.connection.openChannel();
    const session = new ConsumerSession(link, channel, {
      connection: this.#parts,
      definition: this.definition,
      options: this.#options,
      attempts: this.#attempts,
    });
    try {
      await session.consume();
      return session;
    } catch (error) {
      // Declared once does not mean still there.
      for (const queue of this.#options.queues) this.#parts.topology.forget(link, queue);
      void channel.close();
      throw error;
    }
  }

  async #consumeToEnd(session: ConsumerSession): Promise<void> {
    const { clock, logger, topology } = this.#parts;
    this.#session = session;
    // Stopped while it was starting.
    if (this.#run.signal.aborted) {
      await session.stop('stopped', this.#run.signal);
      return;
    }
    this.#move({ status: 'consuming', since: clock.now(), broker: session.link.broker });
    logger.log(consuming(this.name, session.link.broker));
    await this.#hook(() => this.definition.hooks?.onConsumeReady?.(session.raw));
    const reason = await session.ended;
    if (reason !== 'stopped') {
      logger.warn(consumerEnded(this.name, reason));
      if (session.link.live) {
        for (const queue of this.#options.queues) topology.forget(session.link, queue);
      }
      if (reason === 'cancelled') this.#drain(session);
    }
    await this.#ended(reason);
  }

  /** After a cancel the channel lives, and with it the acks of the handlers that still run. */
  #drain(session: ConsumerSession): void {
    const late = new AbortController();
    const cancel = this.#parts.clock.schedule(SETTLE_TIMEOUT, () => late.abort());
    const drained = session.stop('cancelled', late.signal).finally(() => {
      this.#draining.delete(late);
      cancel();
    });
    this.#draining.set(late, drained);
  }

  async #ended(reason: ConsumeEndReason): Promise<void> {
    await this.#hook(() => this.definition.hooks?.onConsumeEnd?.(reason));
  }

  #hook(call: () => unknown): Promise<void> {
    return hooked(this.#parts, this.name, call);
  }

  #move(to: ConsumerState): void {
    // A loop that is being stopped may still be on its way through a start.
    if (this.#state.status === 'stopping' && to.status !== 'stopped') return;
    this.#state = consumerTransition(this.#state, to);
  }
}
