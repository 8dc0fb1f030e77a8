import type { Observable } from 'rxjs';
import { AmqplibTransport } from '../amqp/amqplib.transport.js';
import type { AsUriOptions, Broker } from '../amqp/broker.js';
import type { Channel, ConfirmChannel } from '../amqp/channel.js';
import type { Exchange } from '../amqp/exchange.js';
import type { Queue } from '../amqp/queue.js';
import { ConfigurationError, isAmqpError } from '../errors.js';
import { listenerFailed, notAnOperation, notRevivable } from '../failover.messages.js';
import {
  abortSignal,
  callable,
  checkOptions,
  count,
  duration,
  flag,
} from '../policy/check-options.js';
import type { Random } from '../policy/clock.js';
import { Attempts } from './attempts.js';
import { BrokerCursor } from './broker-cursor.js';
import { BrokerSource } from './broker-source.js';
import { systemClock } from './clock.js';
import { ConnectLoop } from './connect-loop.js';
import type {
  ConnectionFamily,
  ConnectionInfo,
  ConnectionParts,
  ConnectionSeams,
  ConnectionView,
  EnsureConnectionOptions,
} from './connection-parts.js';
import type { ConnectionEvent, ConnectionEvents } from './connection-events.js';
import { logConnection } from './connection-log.js';
import { observeConnection } from './connection-observable.js';
import type { FailoverConnectionOptions, ResolvedConnectionOptions } from './connection-options.js';
import { resolveConnectionOptions } from './connection-options.js';
import { Ensured } from './ensure.js';
import type { EnsureOptions, Revivable } from './ensure-options.js';
import { checkEnsureOptions } from './ensure-options.js';
import type { Link } from './link.js';
import { Listeners } from './listeners.js';
import { consoleLogger, silentLogger } from './logger.js';
import { judge } from './operation-failure.js';
import type { PatienceOptions } from './patience.js';
import { Topology } from './topology.js';

const isRevivable = (value: unknown): boolean =>
  value === null ||
  (typeof value === 'object' && 'revive' in value && typeof value.revive === 'function');

/**
 * A connection that outlives its brokers: it finds a healthy one in the list, and another one when that is lost. It opens on
 * first use, stays the same object for ever, and never emits `'error'`.
 */
export class FailoverConnection implements AsyncDisposable {
  readonly #options: ResolvedConnectionOptions;
  readonly #family: ConnectionFamily;
  readonly #seams: Required<ConnectionSeams>;
  readonly #listeners: Listeners<ConnectionEvents>;
  readonly #loop: ConnectLoop;
  /** Every connection this one ever had, to tell its faults from those of others. */
  readonly #ours = new WeakSet<object>();
  #observable: Observable<ConnectionEvent> | undefined;

  /**
   * @param seams for tests
   * @param family is given by `clone()`
   * @throws ConfigurationError when an option or a URL is refused
   */
  constructor(
    options: FailoverConnectionOptions,
    seams: ConnectionSeams = {},
    family?: ConnectionFamily,
  ) {
    const logger = options.logger === false ? silentLogger : (options.logger ?? consoleLogger);
    this.#options = resolveConnectionOptions(options, logger);
    const onListenerError = (error: unknown, name: string): void =>
      logger.error(listenerFailed(name), error);
    const clock = seams.clock ?? systemClock;
    const transport = seams.transport ?? new AmqplibTransport({ clock, onListenerError });
    const random = seams.random ?? Math.random;
    this.#seams = { clock, transport, random };
    this.#listeners = new Listeners(onListenerError);
    const warn = (error: Error): void => logger.warn(error.message);
    this.#family = family ?? this.#found(random, warn);
    const { source, cursor } = this.#family;
    const attempts = new Attempts(this.#options, random, cursor);
    this.#loop = new ConnectLoop({
      options: this.#options,
      source,
      cursor,
      attempts,
      transport,
      clock,
      listeners: this.#listeners,
      warn,
      onLink: (link) => this.#ours.add(link.connection),
    });
    logConnection(this.#listeners, this.#options.connectionName, logger);
  }

  #found(random: Random, warn: (error: Error) => void): ConnectionFamily {
    const { urls, failoverStrategy, allowMixedSchemes } = this.#options;
    const source = new BrokerSource(urls, { allowMixedSchemes });
    const cursor = new BrokerCursor(failoverStrategy, random, warn);
    if (source.fixed !== undefined) cursor.renew(source.fixed);
    return { source, cursor, topology: new Topology() };
  }

  /** Where the connection stands. Never a boolean: "not connected" has many causes, and each state carries its own. */
  get state(): ConnectionView {
    const { state } = this.#loop;
    if (state.status !== 'connected') return state;
    const { status, since, broker } = state;
    return { status, since, broker };
  }

  /** The broker's reason while it blocks publishers, else undefined. */
  get blocked(): string | undefined {
    return this.#loop.link?.connection.blocked;
  }

  /** All events as an Observable. As everywhere in rxjs, a subscriber that throws is reported as an uncaught error; `on` is guarded. */
  get events(): Observable<ConnectionEvent> {
    this.#observable ??= observeConnection(this.#listeners);
    return this.#observable;
  }

  /**
   * Calls `listener` with each event of a type, outside any call stack of ours. What it throws is logged, nothing else.
   *
   * @returns a function that takes the listener away again
   */
  on<E extends keyof ConnectionEvents>(
    type: E,
    listener: (event: ConnectionEvents[E]) => unknown,
  ): () => void {
    return this.#listeners.on(type, listener);
  }

  /**
   * Resolves when connected to a broker of the list. As many may wait as like: there is one loop that connects, and each
   * waits beside it with a patience of its own.
   *
   * @throws OperationalError broker by broker: in a full round every one refused us, `maxRetries` is used up, or `timeout` passed
   * @throws ConnectionClosedError after `close()`
   */
  async ensureConnection(options: EnsureConnectionOptions = {}): Promise<this> {
    checkOptions('ensureConnection', options, {
      maxRetries: count(),
      timeout: duration(1),
      signal: abortSignal,
      errback: callable,
    });
    const { errback, ...patience } = options;
    const deaf = errback && this.#listeners.on('failed', (event) => errback(event));
    try {
      await this.#loop.wait(patience);
      return this;
    } finally {
      deaf?.();
    }
  }

  /** Connects, or fails after each broker was tried twice: `ensureConnection({ maxRetries: 1 })`, as in kombu. */
  connect(options: EnsureConnectionOptions = {}): Promise<this> {
    return this.ensureConnection({ maxRetries: 1, ...options });
  }

  /**
   * Opens a channel of the caller's own; with `confirm` one in confirm mode. It dies with its connection: use it inside
   * `ensure` or `autoretry`, or open another one.
   */
  channel(options: PatienceOptions & { readonly confirm: true }): Promise<ConfirmChannel>;
  channel(options?: PatienceOptions & { readonly confirm?: boolean }): Promise<Channel>;
  async channel(options: PatienceOptions & { readonly confirm?: boolean } = {}): Promise<Channel> {
    checkOptions('channel', options, { timeout: duration(1), signal: abortSignal, confirm: flag });
    const { confirm, ...patience } = options;
    return this.#onLiveLink(patience, ({ connection }) =>
      confirm === true ? connection.openConfirmChannel() : connection.openChannel(),
    );
  }

  /** The channel of the current connection that all share who do not need their own. */
  async defaultChannel(options: PatienceOptions = {}): Promise<Channel> {
    checkOptions('defaultChannel', options, { timeout: duration(1), signal: abortSignal });
    return this.#onLiveLink(options, (link) => link.defaultChannel());
  }

  /** A link that is lost while it is being used has a successor; the loop's own backoff keeps this from running hot. */
  async #onLiveLink<T>(patience: PatienceOptions, use: (link: Link) => Promise<T>): Promise<T> {
    for (;;) {
      const link = await this.#loop.wait(patience);
      try {
        return await use(link);
      } catch (error) {
        if (!isAmqpError(error) || link === this.#loop.link) throw error;
      }
    }
  }

  /**
   * Returns a function that calls `operation.apply(revivable, args)`, and again after a failover. It is run again on faults
   * of this connection only: connection lost (the next broker, `revivable.revive(channel)`, `onRevive`, run again), or a
   * channel closed by a recoverable error (new channel, revive, run again). An error of the caller's own is rethrown
   * untouched, however much it looks like a socket's.
   *
   * @throws OperationalError from the function: `maxRetries` or `timeout` is used up
   */
  ensure<A extends unknown[], R>(
    revivable: Revivable | null,
    operation: (...args: A) => R | PromiseLike<R>,
    options: EnsureOptions = {},
  ): (...args: A) => Promise<R> {
    if (!isRevivable(revivable)) throw new ConfigurationError(notRevivable('ensure'));
    this.#checkOperation('ensure', operation, options);
    return this.#ensured(operation.name, revivable, options, (_signal, args: A) =>
      operation.apply(revivable, args),
    );
  }

  /**
   * Returns a function that calls `operation(channel, ...args)` under `ensure`. Each run has a live channel of its own, which
   * is closed when the run has ended: a run that closes its channel by an error disturbs nobody else.
   */
  autoretry<A extends unknown[], R>(
    operation: (channel: Channel, ...args: A) => R | PromiseLike<R>,
    options: EnsureOptions = {},
  ): (...args: A) => Promise<R> {
    this.#checkOperation('autoretry', operation, options);
    return this.#ensured(operation.name, null, options, async (signal, args: A) => {
      const channel = await this.channel({ signal });
      try {
        return await operation(channel, ...args);
      } finally {
        await channel.close();
      }
    });
  }

  #checkOperation(method: string, operation: unknown, options: EnsureOptions): void {
    if (typeof operation !== 'function') {
      throw new ConfigurationError(notAnOperation(method, operation));
    }
    checkEnsureOptions(method, options);
  }

  #ensured<A extends unknown[], R>(
    name: string,
    revivable: Revivable | null,
    options: EnsureOptions,
    run: (signal: AbortSignal, args: A) => R | PromiseLike<R>,
  ): (...args: A) => Promise<R> {
    const parts = {
      ...this.#seams,
      listeners: this.#listeners,
      link: (patience: { signal: AbortSignal; maxRetries: number | undefined }) =>
        this.#loop.wait({ ...patience, bearsRefusal: true }),
      judge: (error: unknown) => judge(error, this.#loop.link, this.#ours),
      onCallbackError: this.#listeners.onError,
    };
    const ensured = (...args: A): Promise<R> => {
      const call = { name, revivable, options, run: (signal: AbortSignal) => run(signal, args) };
      return new Ensured<R>(parts, call).settle();
    };
    return Object.defineProperty(ensured, 'name', { value: `${name}(ensured)` });
  }

  /**
   * Leaves the current broker and connects to this one next, or, if that fails, to those that follow it. What is in flight
   * on the old connection is treated as after a loss. Resolves when connected; without a connection so far it only chooses.
   */
  async switchTo(url: string): Promise<void> {
    this.#loop.switchTo(this.#family.source.parse(url));
    if (this.state.status !== 'idle') await this.#loop.wait();
  }

  /** Another connection to the same brokers. It dials the broker this one is on, and shares its topology. */
  clone(options: { readonly connectionName?: string } = {}): FailoverConnection {
    return new FailoverConnection({ ...this.#options, ...options }, this.#seams, this.#family);
  }

  /**
   * Registers exchanges and queues, which are declared on every new connection before anything is published to or consumed
   * from them; and declares them now, if there is a connection.
   *
   * @throws ConfigurationError when one of the same name was registered with other arguments
   * @throws TopologyError when the broker refuses one
   */
  async declare(...entities: readonly (Exchange | Queue)[]): Promise<void> {
    this.#family.topology.add(...entities);
    const { link } = this.#loop;
    if (link !== undefined) await this.#family.topology.declareOn(link);
  }

  /** Closes the connection within the close deadline, whatever its state, and for good. Idempotent; never rejects. */
  close(): Promise<void> {
    return this.#loop.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The address of the current broker, or of the one to be dialled next; by default with the password masked. */
  asUri(options?: AsUriOptions): string {
    return this.#current?.asUri(options) ?? '';
  }

  /** What is known of the connection, without secrets. */
  info(): ConnectionInfo {
    const { connectionName, failoverStrategy: strategy } = this.#options;
    return {
      connectionName,
      status: this.state.status,
      broker: this.#current?.toString(),
      brokers: this.#family.cursor.brokers.map(String),
      failoverStrategy: typeof strategy === 'function' ? strategy.name || 'custom' : strategy,
      blocked: this.blocked,
      server: this.#loop.link?.connection.serverProperties ?? {},
    };
  }

  get #current(): Broker | undefined {
    return this.#loop.link?.connection.broker ?? this.#family.cursor.current;
  }

  /** @internal What producers and consumers work with. */
  get parts(): ConnectionParts {
    return {
      ...this.#seams,
      options: this.#options,
      loop: this.#loop,
      topology: this.#family.topology,
      listeners: this.#listeners,
      judge: (error) => judge(error, this.#loop.link, this.#ours),
    };
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `FailoverConnection <${this.asUri()} ${this.state.status}>`;
  }
}
