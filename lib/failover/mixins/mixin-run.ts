import { errorOf } from '../../amqp/deadline.js';
import {
  consumerStartFailed,
  consuming,
  mixinLost,
  mixinStopped,
} from '../../consumer.messages.js';
import { ConnectionClosedError, isConnectionClosedError } from '../../errors.js';
import type { ConsumerState } from '../../policy/consumer-state.js';
import { consumerTransition } from '../../policy/consumer-state.js';
import { interval } from '../../policy/interval.js';
import type { FailoverConnection } from '../failover-connection.js';
import { hooked } from '../hooked.js';
import type { Link } from '../link.js';
import { guarded } from '../listeners.js';
import { pause } from '../patience.js';
import { RestartLimit } from '../restart-limit.js';
import { settledWithin } from '../settled-within.js';
import type { SessionFailure } from './after-session.js';
import { afterSession } from './after-session.js';
import type { MixinHost } from './mixin-hooks.js';
import { nameOf } from './mixin-hooks.js';
import type { ConsumeOptions } from './mixin-options.js';
import { MixinSession } from './mixin-session.js';

/** What a run is told by its mixin. */
export interface MixinRunParts {
  readonly connectMaxRetries: number | undefined;
  /** Closes what else the mixin has open. */
  readonly onEnd: () => Promise<void>;
}

/** From the start of `run()`, or of a `consume()` without it, to its end: one connection, and session after session on it. */
export class MixinRun {
  readonly #stop = new AbortController();
  /** Aborted when what the class has to close has taken all the time it may. */
  readonly #late = new AbortController();
  readonly #restarts: RestartLimit;
  readonly #deaf: () => void;
  #state: ConsumerState = { status: 'idle' };
  #session: MixinSession | undefined;
  #failure: SessionFailure | undefined;
  #revivedOn: Link | undefined;
  #hasConsumed = false;
  #failures = 0;

  /** Resolves when it was left to itself, with a callback that did not return. */
  readonly abandoned: Promise<void>;
  #resolveAbandoned: () => void = () => undefined;
  readonly #over: Promise<void>;
  #resolveOver: () => void = () => undefined;
  #ending: Promise<void> | undefined;
  #isOver = false;

  constructor(
    private readonly host: MixinHost,
    readonly connection: FailoverConnection,
    private readonly parts: MixinRunParts,
  ) {
    this.abandoned = new Promise((resolve) => (this.#resolveAbandoned = resolve));
    this.#over = new Promise((resolve) => (this.#resolveOver = resolve));
    this.#restarts = new RestartLimit(connection.parts.clock);
    this.#deaf = this.#tellConnectionErrors();
  }

  get state(): ConsumerState {
    const state = this.#state;
    // The end of a channel is known before the loop has come round to it.
    if (state.status !== 'consuming' || this.#session?.isConsuming === true) return state;
    return { status: 'starting', since: this.connection.parts.clock.now() };
  }

  /** Its connection is closed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get isStopping(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Ends every wait. A callback that runs is not interrupted. */
  stop(): void {
    if (this.isStopping) return;
    this.#move({ status: 'stopping', since: this.connection.parts.clock.now() });
    this.#stop.abort(new ConnectionClosedError(mixinStopped(nameOf(this.host))));
  }

  /** Closes its connection: what was not settled goes back to its queue. Idempotent; never rejects. @param failed what it ends with */
  end(failed?: unknown): Promise<void> {
    this.#ending ??= this.#end(failed);
    return this.#ending;
  }

  /** Resolves when it is over, which it is after `timeout` milliseconds, and the time to close, whatever runs. */
  async overWithin(timeout: number): Promise<void> {
    const { clock, options } = this.connection.parts;
    await settledWithin(clock, timeout, new AbortController().signal, this.#over);
    if (this.#isOver) return;
    const cancel = clock.schedule(options.closeTimeout, () => this.#late.abort());
    await this.end();
    cancel();
    this.#resolveAbandoned();
  }

  /** Resolves when the restart limit lets the next session begin, or it is to stop. */
  async turn(): Promise<void> {
    await this.#restarts.take(this.#stop.signal).catch(() => undefined);
  }

  /** One session. Yields their count after each message; ends when told to, after `limit` messages, or when none came for `timeout`. */
  async *session(options: ConsumeOptions): AsyncGenerator<number, void, undefined> {
    const { host, connection } = this;
    const { signal } = this.#stop;
    if (signal.aborted) return;
    const session = new MixinSession(host, connection, signal);
    this.#session = session;
    this.#failure = undefined;
    let failed: Error | undefined;
    this.#moveStarting();
    try {
      await this.#connected();
      await session.begin();
      this.#begun();
      await session.enter();
      yield* session.messages(options);
    } catch (caught) {
      if (caught === signal.reason) return;
      failed = errorOf(caught);
      this.#failure = this.#failureOf(session, failed);
      this.#moveStarting();
      throw failed;
    } finally {
      await session.end(failed);
      this.#session = undefined;
    }
  }

  /**
   * After a session that has thrown `caught`: resolves when another one may be tried.
   *
   * @throws it when no other session mends it
   */
  async recovered(caught: unknown): Promise<void> {
    const name = nameOf(this.host);
    const failure = this.#failure;
    // Not so when it was thrown by who overrides consume().
    if (failure === undefined || failure.error !== caught) throw caught;
    if (
      this.isStopping &&
      (failure.judged.fault !== undefined || isConnectionClosedError(caught))
    ) {
      return;
    }
    const next = afterSession(failure);
    if (next === 'leave') throw failure.error;
    const { clock, options, random, logger } = this.connection.parts;
    if (next === 'again') {
      logger.warn(mixinLost(name, failure.error));
      return;
    }
    const wait = interval(options, this.#failures, random);
    this.#failures += 1;
    logger.error(consumerStartFailed(name, failure.error, wait));
    const since = clock.now();
    this.#move({ status: 'waiting', since, until: since + wait, error: failure.error });
    await pause(clock, wait, this.#stop.signal).catch(() => undefined);
  }

  async #end(failed: unknown): Promise<void> {
    const { parts } = this.connection;
    const since = parts.clock.now();
    this.#deaf();
    if (failed !== undefined) this.#move({ status: 'failed', since, error: errorOf(failed) });
    this.stop();
    const closed = hooked(parts, `${nameOf(this.host)}.onRunEnd`, this.parts.onEnd);
    await settledWithin(parts.clock, undefined, this.#late.signal, closed);
    await this.connection.close();
    this.#move({ status: 'stopped', since: parts.clock.now() });
    this.#isOver = true;
    this.#resolveOver();
  }

  async #connected(): Promise<void> {
    const { host, connection } = this;
    const { connectMaxRetries: maxRetries } = this.parts;
    const link = await connection.parts.loop.wait({
      signal: this.#stop.signal,
      maxRetries,
      // As when consuming: a broker that refuses now may let us in later.
      bearsRefusal: maxRetries === undefined,
    });
    if (link === this.#revivedOn) return;
    this.#revivedOn = link;
    await hooked(connection.parts, `${nameOf(host)}.onConnectionRevived`, () =>
      host.onConnectionRevived?.(),
    );
  }

  #begun(): void {
    const { clock, loop, logger } = this.connection.parts;
    const broker = loop.link?.connection.broker.toString() ?? '';
    this.#hasConsumed = true;
    this.#failures = 0;
    this.#move({ status: 'consuming', since: clock.now(), broker, stalled: false });
    logger.log(consuming(nameOf(this.host), broker));
  }

  #failureOf(session: MixinSession, error: Error): SessionFailure {
    return {
      error,
      consumed: session.hasConsumed,
      isEnd: session.isEnd(error),
      judged: this.connection.parts.judge(error),
      ranBefore: this.#hasConsumed,
    };
  }

  #tellConnectionErrors(): () => void {
    const { host } = this;
    if (host.onConnectionError === undefined) return () => undefined;
    const { listeners } = this.connection.parts;
    const tell = (told: { error: Error; interval: number; broker: string }): void =>
      guarded(
        () => host.onConnectionError?.(told.error, told.interval, told.broker),
        'onConnectionError',
        listeners.onError,
      );
    const offs = [listeners.on('failed', tell), listeners.on('lost', tell)];
    return () => {
      for (const off of offs) off();
    };
  }

  #moveStarting(): void {
    this.#move({ status: 'starting', since: this.connection.parts.clock.now() });
  }

  #move(to: ConsumerState): void {
    const { status } = this.#state;
    if (status === 'stopped' || status === 'failed') return;
    if (status === 'stopping' && to.status !== 'stopped') return;
    this.#state = consumerTransition(this.#state, to);
  }
}
