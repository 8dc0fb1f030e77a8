import type { Observable } from 'rxjs';
import type { AsUriOptions } from '../amqp/broker.js';
import type { Channel, ConfirmChannel } from '../amqp/channel.js';
import type { Exchange } from '../amqp/exchange.js';
import { Queue } from '../amqp/queue.js';
import {
  abortSignal,
  callable,
  checkOptions,
  count,
  duration,
  flag,
  oneOf,
} from '../policy/check-options.js';
import { serializerNames } from '../serialization/codec.js';
import { ChannelConsumer } from './channel-consumer.js';
import type { ChannelConsumerOptions } from './channel-consumer-options.js';
import type { ConnectionCore } from './connection-core.js';
import { connectionCore } from './connection-core.js';
import type { ConnectionEvent, ConnectionEvents } from './connection-events.js';
import { connectionEventTypes } from './connection-events.js';
import { connectionInfo } from './connection-info.js';
import { accept } from './consumer-options.js';
import { observeConnection } from './connection-observable.js';
import type { FailoverConnectionOptions } from './connection-options.js';
import type {
  ConnectionFamily,
  ConnectionInfo,
  ConnectionParts,
  ConnectionSeams,
  ConnectionView,
  EnsureConnectionOptions,
} from './connection-parts.js';
import { EventDrain } from './event-drain.js';
import type { EnsureOptions, Revivable } from './ensure-options.js';
import { autoretryOperation, ensureOperation } from './ensured-function.js';
import type { GetOptions } from './fetched-message.js';
import { fetchMessage } from './fetched-message.js';
import type { Link } from './link.js';
import { onLiveLink } from './live-link.js';
import type { Message } from './message.js';
import type { PatienceOptions } from './patience.js';

const getChecks = {
  queue: { allowed: 'a Queue', accepts: (value: unknown) => value instanceof Queue },
  noAck: flag,
  accept,
  timeout: duration(1),
  signal: abortSignal,
} as const;

/**
 * A connection that outlives its brokers: it finds a healthy one in the list, and another one when that is lost. It opens on
 * first use, stays the same object for ever, and never emits `'error'`.
 */
export class FailoverConnection implements AsyncDisposable {
  readonly #core: ConnectionCore;
  readonly #drain: EventDrain;
  #observable: Observable<ConnectionEvent> | undefined;
  /** Of the last connection, until there is another one. */
  #loss: Error | undefined;

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
    this.#core = connectionCore(options, seams, family);
    this.#drain = new EventDrain(this.#core);
    this.#core.listeners.on('lost', ({ error }) => (this.#loss = error));
    this.#core.listeners.on('connected', () => (this.#loss = undefined));
  }

  /** Where the connection stands. Never a boolean: "not connected" has many causes, and each state carries its own. */
  get state(): ConnectionView {
    const { state } = this.#core.loop;
    if (state.status !== 'connected') return state;
    const { status, since, broker } = state;
    return { status, since, broker };
  }

  /** The broker's reason while it blocks publishers, else undefined. */
  get blocked(): string | undefined {
    return this.#core.loop.link?.connection.blocked;
  }

  /** All events as an Observable. As everywhere in rxjs, a subscriber that throws is reported as an uncaught error; `on` is guarded. */
  get events(): Observable<ConnectionEvent> {
    this.#observable ??= observeConnection(
      this.#core.listeners,
      () => this.state.status === 'closed',
    );
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
    checkOptions(
      'on',
      { type, listener },
      { type: oneOf(...connectionEventTypes), listener: callable },
    );
    return this.#core.listeners.on(type, listener);
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
    const deaf = errback && this.#core.listeners.on('failed', (event) => errback(event));
    try {
      await this.#core.loop.wait(patience);
      return this;
    } finally {
      deaf?.();
    }
  }

  /** Connects, or fails after each broker was tried twice: `ensureConnection({ maxRetries: 1 })`, as in kombu. */
  connect(options: EnsureConnectionOptions = {}): Promise<this> {
    return this.ensureConnection({ ...options, maxRetries: options.maxRetries ?? 1 });
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
    return onLiveLink(
      this.#core,
      patience,
      ({ connection }) =>
        confirm === true ? connection.openConfirmChannel() : connection.openChannel(),
      (late) => void late.close(),
    );
  }

  /** The channel of the current connection that all share who do not need their own. */
  async defaultChannel(options: PatienceOptions = {}): Promise<Channel> {
    checkOptions('defaultChannel', options, { timeout: duration(1), signal: abortSignal });
    return onLiveLink(this.#core, options, (link) => link.defaultChannel());
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
    return ensureOperation(this.#core, revivable, operation, options);
  }

  /**
   * Returns a function that calls `operation(channel, ...args)` under `ensure`. Each run has a live channel of its own, which
   * is closed when the run, or the caller's patience, has ended: a run that closes its channel by an error disturbs nobody else.
   */
  autoretry<A extends unknown[], R>(
    operation: (channel: Channel, ...args: A) => R | PromiseLike<R>,
    options: EnsureOptions = {},
  ): (...args: A) => Promise<R> {
    return autoretryOperation({ ...this.#core, ...this.parts }, operation, options);
  }

  /**
   * Makes a consumer whose callbacks run inside `drainEvents`, as kombu's. It consumes once `consume()` was called.
   *
   * @throws ConfigurationError naming the option, its value and what is allowed
   */
  consumer<T = unknown>(
    queues: Queue<T> | readonly Queue<T>[],
    options: ChannelConsumerOptions<T> = {},
  ): ChannelConsumer<T> {
    return new ChannelConsumer<T>({ ...this.parts, drain: this.#drain }, queues, options);
  }

  /**
   * Has the callbacks of one delivery run, for whichever consumer of this connection it is; waits until one comes. Within
   * `ensure(connection, ...)` a loss is mended: the consumers are revived and consume again.
   *
   * @throws TimeoutError when nothing comes within `timeout` milliseconds; without it there is no limit
   * @throws AmqpError when a consumer consumes no longer, or the connection was lost meanwhile
   * @throws what a callback throws; its message is then not settled
   */
  async drainEvents(options: PatienceOptions = {}): Promise<void> {
    checkOptions('drainEvents', options, { timeout: duration(1), signal: abortSignal });
    await this.#drain.next(options);
  }

  /**
   * Takes one message from a queue, which is declared before, as kombu's `queue.get()` does. For a look, a test or a tool: a
   * consumer is many times faster, and comes back after a loss.
   *
   * @returns undefined when the queue is empty. It is settled by the caller; until then it is with this connection
   * @throws TopologyError, AmqpError, OperationalError, ConnectionClosedError
   */
  async get<T = unknown>(
    queue: Queue<T>,
    options: GetOptions = {},
  ): Promise<Message<T> | undefined> {
    checkOptions('get', { queue, ...options }, getChecks);
    const { accept: accepted = serializerNames, noAck = false, ...patience } = options;
    const { topology } = this.#core.family;
    const fetched = async (link: Link) => {
      const name = await topology.queueName(link, queue);
      return fetchMessage(await link.defaultChannel(), queue, name, { accept: accepted, noAck });
    };
    const late = (message: Message | undefined) => message?.handBack();
    return (await onLiveLink(this.#core, patience, fetched, late)) as Message<T> | undefined;
  }

  /** Has every consumer of this connection consume again that a loss has ended; what `ensure(connection, ...)` calls. */
  async revive(_channel?: Channel): Promise<void> {
    await this.#drain.revive();
  }

  /**
   * Heartbeats need no call: they are sent, and watched for, all the time. This only tells what they have found.
   *
   * @throws AmqpError when the connection was lost and there is no other yet
   */
  heartbeatCheck(): void {
    if (this.#loss !== undefined) throw this.#loss;
  }

  /**
   * Leaves the current broker and connects to this one next, or, if that fails, to those that follow it. What is in flight
   * on the old connection is treated as after a loss. Resolves when connected; without a connection so far it only chooses.
   */
  async switchTo(url: string): Promise<void> {
    this.#core.loop.switchTo(this.#core.family.source.parse(url));
    if (this.state.status !== 'idle') await this.#core.loop.wait();
  }

  /** Another connection to the same brokers. It dials the broker this one is on, and shares its topology. */
  clone(options: { readonly connectionName?: string } = {}): FailoverConnection {
    const { connectionName = this.#core.options.connectionName, ...unknown } = options;
    // The brokers are those of the family.
    const cloned = { urls: [], ...this.#core.options, ...unknown, connectionName };
    return new FailoverConnection(cloned, this.#core.seams, this.#core.family);
  }

  /**
   * Registers exchanges and queues, which are declared on every new connection before anything is published to or consumed
   * from them; and declares them now, if there is a connection.
   *
   * @throws ConfigurationError when one of the same name was registered with other arguments
   * @throws TopologyError when the broker refuses one
   * @throws ConnectionClosedError after `close()`
   */
  async declare(...entities: readonly (Exchange | Queue)[]): Promise<void> {
    this.#core.ended.throwIfAborted();
    this.#core.family.topology.add(...entities);
    const { link } = this.#core.loop;
    if (link !== undefined) await this.#core.family.topology.declareOn(link, entities);
  }

  /** Closes the connection within the close deadline, whatever its state, and for good. Idempotent; never rejects. */
  close(): Promise<void> {
    return this.#core.loop.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The address of the current broker, or of the one to be dialled next; by default with the password masked. */
  asUri(options?: AsUriOptions): string {
    const { link } = this.#core.loop;
    return (link?.connection.broker ?? this.#core.family.cursor.current)?.asUri(options) ?? '';
  }

  /** What is known of the connection, without secrets. */
  info(): ConnectionInfo {
    const { status } = this.state;
    const connection = this.#core.loop.link?.connection;
    return connectionInfo(this.#core.options, status, this.#core.family.cursor, connection);
  }

  /** @internal What has come for its consumers. */
  get drain(): EventDrain {
    return this.#drain;
  }

  /** @internal What producers and consumers work with. */
  get parts(): ConnectionParts {
    return this.#core;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `FailoverConnection <${this.asUri()} ${this.state.status}>`;
  }
}
