import { errorOf } from '../amqp/deadline.js';
import { ConnectionClosedError, isConnectionClosedError } from '../errors.js';
import {
  consumerEnded,
  consumerGaveUp,
  consumerStartFailed,
  consumerStopped,
  consuming,
} from '../consumer.messages.js';
import { checkOptions, duration } from '../policy/check-options.js';
import type { ConsumerState } from '../policy/consumer-state.js';
import { consumerTransition } from '../policy/consumer-state.js';
import { interval } from '../policy/interval.js';
import type { ConnectionParts } from './connection-parts.js';
import type { ConsumerDefinition } from './consumer-definition.js';
import { resolveConsumerOptions } from './consumer-options.js';
import type { ConsumerSession } from './consumer-session.js';
import { warnOfDeliveryLimit } from './delivery-limit-warning.js';
import { EarlierSessions } from './earlier-sessions.js';
import type { FailoverConnection } from './failover-connection.js';
import type { FirstStartOptions, GivesUpOn } from './first-start.js';
import { endsFirstStart, firstStartChecks } from './first-start.js';
import { MessageHandling } from './message-handling.js';
import { pause } from './patience.js';
import { Pausing } from './pausing.js';
import { SessionLifecycle } from './session-lifecycle.js';
import { SessionStart } from './session-start.js';
import { settledWithin } from './settled-within.js';

/**
 * Keeps one consumer consuming. Each end of its session leads back to declare, qos and consume: connection lost, channel
 * closed, queue deleted, cancelled by the broker. It retries for ever, with backoff and loudly; see `FirstStartOptions`.
 */
export class ConsumerLoop<T = unknown> {
  readonly name: string;
  readonly #parts: ConnectionParts;
  readonly #handling: MessageHandling;
  readonly #lifecycle: SessionLifecycle;
  readonly #start: SessionStart;
  readonly #earlier: EarlierSessions;
  readonly #paused: Pausing;
  /** Aborted when it is to stop. */
  readonly #run = new AbortController();
  /** Aborted when stopping has taken all the time it may. */
  readonly #late = new AbortController();
  /** Aborted when a start in progress is no longer wanted: with each `pause()`, and with `stop()`. */
  #turn = new AbortController();
  #state: ConsumerState = { status: 'idle' };
  #lastError: Error | undefined;
  #session: ConsumerSession | undefined;
  #givesUpOn: GivesUpOn | undefined;
  #starting: Promise<void> | undefined;
  #worked: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  #hasConsumed = false;
  #failures = 0;

  /** @throws ConfigurationError naming the consumer, the option, its value and what is allowed */
  constructor(connection: FailoverConnection, typed: ConsumerDefinition<T>) {
    // What comes from a queue is of the type that the queue is declared to carry; nothing below looks at it.
    const definition = typed as ConsumerDefinition;
    const { name, handle: _handle, route: _route, hooks: _hooks, ...given } = definition;
    const { parts } = connection;
    const options = resolveConsumerOptions(name, given);
    const { signal: late } = this.#late;
    this.name = name;
    this.#parts = parts;
    this.#paused = new Pausing(parts.clock);
    const handling = new MessageHandling(parts, definition, options);
    const lifecycle = new SessionLifecycle(parts, definition, options, late);
    const earlier = new EarlierSessions(parts.clock, options.settleTimeout, late);
    this.#handling = handling;
    this.#lifecycle = lifecycle;
    this.#earlier = earlier;
    this.#start = new SessionStart(parts, { name, options, handling, lifecycle, earlier });
    parts.topology.add(...options.queues);
    warnOfDeliveryLimit(name, options.queues, parts.logger);
  }

  /** Only `consuming` means that the broker has confirmed a registration of every queue on a channel that still lives. */
  get state(): ConsumerState {
    const state = this.#state;
    // A channel's end is known before it is told.
    if (state.status !== 'consuming') return state;
    if (this.#session?.isConsuming !== true) {
      return { status: 'starting', since: this.#parts.clock.now() };
    }
    return this.#handling.allHeld ? { ...state, stalled: true } : state;
  }

  /** The last error that kept it from consuming. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** How many messages are held since their handler failed; each keeps its place in the prefetch until its backoff is over. */
  get held(): number {
    return this.#handling.held;
  }

  /**
   * Starts, and resolves when it consumes for the first time. Called again, it tells of the same start.
   *
   * @throws the failure that it gives up on; by default a TopologyError when a queue or exchange exists with other arguments
   * @throws ConnectionClosedError when it is stopped, or its connection closed, before it consumed
   */
  start({ givesUpOn = 'mismatch' }: FirstStartOptions = {}): Promise<void> {
    checkOptions('ConsumerLoop.start', { givesUpOn }, firstStartChecks);
    if (this.#starting === undefined) {
      this.#givesUpOn = givesUpOn;
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
   * Cancels, waits for the handlers that run, flushes their acks and closes the channel, all within `timeout` milliseconds.
   * Messages that are in hand after that go back to the queue. Idempotent; never rejects.
   */
  stop({ timeout = 20_000 }: { readonly timeout?: number } = {}): Promise<void> {
    checkOptions('ConsumerLoop.stop', { timeout }, { timeout: duration() });
    this.#stopping ??= this.#stop(timeout);
    return this.#stopping;
  }

  /** Stops consuming until `resume()`. Resolves when the handlers that run have settled, or after `settleTimeout`. */
  async pause(): Promise<void> {
    if (this.#stopping !== undefined) return;
    this.#paused.begin();
    this.#turn.abort();
    if (this.#session !== undefined) void this.#earlier.stop(this.#session, 'paused');
    this.#movePaused();
    await this.#start.over();
    await this.#earlier.settled();
  }

  /** Consumes again after `pause()`. */
  resume(): void {
    this.#start.allowAtOnce();
    this.#paused.end();
    if (this.#state.status === 'paused') this.#moveStarting();
  }

  async #stop(timeout: number): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#late;
    this.#move({ status: 'stopping', since: clock.now() });
    this.#run.abort();
    this.#turn.abort();
    if (this.#session !== undefined) void this.#earlier.stop(this.#session, 'stopped', timeout);
    // What is on its way through a start ends as an earlier session.
    const idle = this.#worked.then(() => this.#earlier.idle());
    await settledWithin(clock, timeout, signal, idle);
    this.#late.abort();
    this.#move({ status: 'stopped', since: clock.now() });
  }

  /** Until stopped. @throws what is fatal */
  async #work(started: () => void): Promise<void> {
    const { signal } = this.#run;
    const deaf = this.#lifecycle.tellConnectionErrors();
    try {
      for (;;) {
        this.#movePaused();
        await this.#paused.over(signal);
        if (signal.aborted) return;
        // Paused again before it came round to this.
        if (this.#paused.on) continue;
        this.#turn = new AbortController();
        await this.#consume(this.#turn.signal, started);
      }
    } finally {
      deaf();
    }
  }

  /** One session from its start to its end. @throws what is fatal */
  async #consume(signal: AbortSignal, started: () => void): Promise<void> {
    this.#moveStarting();
    let session: ConsumerSession;
    try {
      session = await this.#start.session(signal);
    } catch (caught) {
      if (!signal.aborted) await this.#startFailed(errorOf(caught), signal);
      return;
    }
    if (signal.aborted) {
      this.#earlier.leave(session, 'stopped');
      return;
    }
    this.#session = session;
    this.#hasConsumed = true;
    this.#failures = 0;
    const { clock, logger } = this.#parts;
    const { broker } = session.link;
    this.#move({ status: 'consuming', since: clock.now(), broker, stalled: false });
    logger.log(consuming(this.name, broker));
    started();
    void session.ended.then(() => {
      if (this.#state.status === 'consuming') this.#moveStarting();
    });
    const reason = await this.#lifecycle.live(session);
    this.#session = undefined;
    if (reason === 'stopped' || reason === 'paused') return;
    this.#lastError = session.loss ?? this.#lastError;
    logger.warn(consumerEnded(this.name, reason));
    this.#start.forget(session.link, reason, session.loss);
    this.#earlier.leave(session, reason);
  }

  /** @throws the error when no further start makes sense */
  async #startFailed(error: Error, signal: AbortSignal): Promise<void> {
    const { clock, options, random, logger } = this.#parts;
    this.#lastError = error;
    const fatal = !this.#hasConsumed && endsFirstStart(error, this.#givesUpOn ?? 'mismatch');
    if (fatal || isConnectionClosedError(error)) {
      this.#move({ status: 'failed', since: clock.now(), error });
      // Until it has consumed, whoever called start() is told.
      if (this.#hasConsumed) logger.error(consumerGaveUp(this.name, error));
      throw error;
    }
    // Lost while starting: the next connection is worth a try at once.
    if (this.#start.isCutOff) return;
    const wait = interval(options, this.#failures, random);
    this.#failures += 1;
    logger.error(consumerStartFailed(this.name, error, wait));
    this.#move({ status: 'waiting', since: clock.now(), until: clock.now() + wait, error });
    await pause(clock, wait, signal).catch(() => undefined);
  }

  #moveStarting(): void {
    this.#move({ status: 'starting', since: this.#parts.clock.now() });
  }

  /** Before its start it is idle, paused or not. */
  #movePaused(): void {
    const { status } = this.#state;
    const isMoved = status === 'paused' || status === 'failed';
    if (isMoved || !this.#paused.on || this.#givesUpOn === undefined) return;
    this.#move({ status: 'paused', since: this.#parts.clock.now() });
  }

  #move(to: ConsumerState): void {
    const { status } = this.#state;
    // While it is being stopped it may still be on its way through a start.
    if (status === 'stopped' || (status === 'stopping' && to.status !== 'stopped')) return;
    this.#state = consumerTransition(this.#state, to);
  }
}
