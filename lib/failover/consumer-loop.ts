import { ConnectionClosedError, isConnectionClosedError, isTopologyError } from '../errors.js';
import {
  consumerEnded,
  consumerStartFailed,
  consumerStopped,
  consuming,
} from '../failover.messages.js';
import { checkOptions, duration } from '../policy/check-options.js';
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
import { EarlierSessions } from './earlier-sessions.js';
import type { FailoverConnection } from './failover-connection.js';
import { guarded } from './listeners.js';
import type { Link } from './link.js';
import { MessageHandling } from './message-handling.js';
import { pause } from './patience.js';
import { SessionLifecycle } from './session-lifecycle.js';
import { settledBefore } from './settled-before.js';

const asError = (value: unknown): Error =>
  value instanceof Error ? value : new Error(String(value));

/**
 * Keeps one consumer consuming. Each end of its session leads back to declare, qos and consume: connection lost, channel
 * closed, queue deleted, cancelled by the broker. It retries for ever, with backoff and loudly; only a mismatch at the first
 * start is fatal.
 */
export class ConsumerLoop {
  readonly name: string;
  readonly #parts: ConnectionParts;
  readonly #options: ResolvedConsumerOptions;
  readonly #handling: MessageHandling;
  readonly #lifecycle: SessionLifecycle;
  readonly #earlier: EarlierSessions;
  readonly #run = new AbortController();
  #state: ConsumerState = { status: 'idle' };
  #lastError: Error | undefined;
  #session: ConsumerSession | undefined;
  #starting: Promise<void> | undefined;
  #worked: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  #restarts: TokenBucket = { tokens: restartLimit.capacity, at: 0 };
  #failures = 0;
  /** Resolved by `resume()`; undefined while it is not paused. */
  #paused: { readonly over: Promise<void>; readonly resume: () => void } | undefined;

  /** @throws ConfigurationError naming the consumer, the option, its value and what is allowed */
  constructor(
    connection: FailoverConnection,
    private readonly definition: ConsumerDefinition,
  ) {
    const { name, handle: _handle, hooks: _hooks, ...options } = definition;
    this.name = name;
    this.#parts = connection.parts;
    this.#options = resolveConsumerOptions(name, options);
    this.#handling = new MessageHandling(this.#parts, definition, this.#options);
    this.#lifecycle = new SessionLifecycle(this.#parts, definition, this.#options);
    this.#earlier = new EarlierSessions(this.#parts.clock, this.#options.settleTimeout);
    this.#parts.topology.add(...this.#options.queues);
  }

  /** Only `consuming` means that the broker has confirmed a registration of every queue on a channel that still lives. */
  get state(): ConsumerState {
    const state = this.#state;
    // The end of a session is known before the loop has come round to it: a hook of the user's may be in between.
    if (state.status !== 'consuming' || this.#session?.isConsuming === true) return state;
    return { status: 'starting', since: state.since };
  }

  /** The last error that kept it from consuming. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /**
   * Starts, and resolves when it consumes for the first time.
   *
   * @throws TopologyError when a queue or exchange exists with other arguments: that will not mend itself
   * @throws ConnectionClosedError when it is stopped, or its connection closed, before it consumed
   */
  start(): Promise<void> {
    if (this.#starting === undefined) {
      this.#starting = new Promise((resolve, reject) => {
        this.#worked = this.#work(resolve).then(
          () => reject(new ConnectionClosedError(consumerStopped(this.name))),
          reject,
        );
      });
      // Whoever called is told; when nobody listens, it must not end the process.
      this.#starting.catch(() => undefined);
    }
    return this.#starting;
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

  /** Stops consuming until `resume()`. Resolves when the handlers that run have settled, or after `settleTimeout`. */
  async pause(): Promise<void> {
    if (this.#paused !== undefined || this.#stopping !== undefined) return;
    let resume = (): void => undefined;
    const over = new Promise<void>((resolve) => {
      resume = resolve;
    });
    this.#paused = { over, resume };
    if (this.#session !== undefined) await this.#earlier.stop(this.#session, 'paused');
  }

  /** Consumes again after `pause()`. */
  resume(): void {
    this.#paused?.resume();
    this.#paused = undefined;
  }

  async #stop(timeout: number): Promise<void> {
    const { clock } = this.#parts;
    const late = new AbortController();
    const cancel = clock.schedule(timeout, () => late.abort());
    this.#move({ status: 'stopping', since: clock.now() });
    this.#run.abort();
    const session = this.#session?.stop('stopped', late.signal);
    await Promise.all([
      session,
      this.#earlier.end(late.signal),
      settledBefore(late.signal, this.#worked),
    ]);
    cancel();
    this.#move({ status: 'stopped', since: clock.now() });
  }

  /** Until stopped. @throws what is fatal at start */
  async #work(started: () => void): Promise<void> {
    const { signal } = this.#run;
    const deaf = this.#tellConnectionErrors();
    let hasConsumed = false;
    try {
      for (let last: Link | undefined; !signal.aborted;) {
        try {
          await this.#waitWhilePaused(signal);
          this.#move({ status: 'starting', since: this.#parts.clock.now() });
          await this.#waitForToken(signal);
          const link = await this.#parts.loop.wait({ signal, bearsRefusal: true });
          if (link !== last) await this.#lifecycle.revived();
          last = link;
          const session = await this.#consume(link);
          hasConsumed = true;
          this.#failures = 0;
          started();
          await this.#consumeToEnd(session);
        } catch (caught) {
          if (signal.aborted) return;
          await this.#startFailed(asError(caught), last, hasConsumed);
        }
      }
    } finally {
      deaf();
    }
  }

  /** @throws the error when no further start makes sense */
  async #startFailed(error: Error, link: Link | undefined, hasConsumed: boolean): Promise<void> {
    const { clock, options, random, logger } = this.#parts;
    this.#lastError = error;
    const fatal = !hasConsumed && isTopologyError(error) && isMismatch(error.code);
    if (fatal || isConnectionClosedError(error)) {
      this.#move({ status: 'failed', since: clock.now(), error });
      throw error;
    }
    // Lost while starting: the next connection is worth a try at once.
    if (link !== undefined && !link.live) return;
    const wait = interval(options, this.#failures, random);
    this.#failures += 1;
    logger.error(consumerStartFailed(this.name, error, wait));
    const since = clock.now();
    this.#move({ status: 'waiting', since, until: since + wait, error });
    await pause(clock, wait, this.#run.signal).catch(() => undefined);
  }

  async #waitWhilePaused(signal: AbortSignal): Promise<void> {
    while (this.#paused !== undefined && !signal.aborted) {
      this.#move({ status: 'paused', since: this.#parts.clock.now() });
      await settledBefore(signal, this.#paused.over);
    }
    signal.throwIfAborted();
  }

  async #waitForToken(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const { bucket, wait } = takeToken(this.#restarts, clock.now());
    this.#restarts = bucket;
    if (wait > 0) await pause(clock, wait, signal);
  }

  async #consume(link: Link): Promise<ConsumerSession> {
    const { topology } = this.#parts;
    const channel = await link.connection.openChannel();
    const session = new ConsumerSession(link, channel, {
      topology,
      options: this.#options,
      run: (message) => this.#handling.run(message),
    });
    const settled = this.#earlier.settled();
    if (settled !== undefined) session.holdSuspects(settled);
    try {
      await session.consume();
      return session;
    } catch (error) {
      // Declared once does not mean still there.
      for (const queue of this.#options.queues) topology.forget(link, queue);
      void channel.close();
      throw error;
    }
  }

  async #consumeToEnd(session: ConsumerSession): Promise<void> {
    const { clock, logger, topology } = this.#parts;
    this.#session = session;
    if (this.#run.signal.aborted) {
      // Stopped while it was starting.
      await session.stop('stopped', this.#run.signal);
      return;
    }
    if (this.#paused !== undefined) void this.#earlier.stop(session, 'paused');
    const { broker } = session.link;
    this.#move({ status: 'consuming', since: clock.now(), broker });
    logger.log(consuming(this.name, broker));
    const reason = await this.#lifecycle.live(session);
    if (reason === 'stopped' || reason === 'paused') return;
    logger.warn(consumerEnded(this.name, reason));
    if (session.link.live) {
      for (const queue of this.#options.queues) topology.forget(session.link, queue);
    }
    this.#leave(session, reason);
  }

  /** After a cancel the channel lives, and so do the acks of the handlers that run. After a loss they run on all the same. */
  #leave(session: ConsumerSession, reason: ConsumeEndReason): void {
    if (reason === 'cancelled') void this.#earlier.stop(session, reason);
    else this.#earlier.lost(session);
  }

  #tellConnectionErrors(): () => void {
    const { listeners } = this.#parts;
    const { hooks } = this.definition;
    if (hooks?.onConnectionError === undefined) return () => undefined;
    const tell = (told: { error: Error; interval: number; broker: string }): void =>
      guarded(
        () => hooks.onConnectionError?.(told.error, told.interval, told.broker),
        'onConnectionError',
        listeners.onError,
      );
    const offs = [listeners.on('failed', tell), listeners.on('lost', tell)];
    return () => {
      for (const off of offs) off();
    };
  }

  #move(to: ConsumerState): void {
    const { status } = this.#state;
    // While it is being stopped it may still be on its way through a start.
    if (status === 'stopped' || (status === 'stopping' && to.status !== 'stopped')) return;
    if (status === 'paused' && to.status === 'paused') return;
    this.#state = consumerTransition(this.#state, to);
  }
}
