import type { Broker } from '../amqp/broker.js';
import type { BrokerConnection, Transport } from '../amqp/transport.js';
import type { AmqpError } from '../errors.js';
import { ConfigurationError, ConnectionClosedError, OperationalError } from '../errors.js';
import { connectTimedOut, connectionClosed, urlsFailed } from '../failover.messages.js';
import type { Clock } from '../policy/clock.js';
import type { ConnectionState } from '../policy/connection-state.js';
import { connectionTransition } from '../policy/connection-state.js';
import type { NextAttempt } from '../policy/round.js';
import type { Attempts } from './attempts.js';
import { URLS } from './attempts.js';
import type { BrokerCursor } from './broker-cursor.js';
import type { BrokerSource } from './broker-source.js';
import type { ConnectionEvents } from './connection-events.js';
import type { ResolvedConnectionOptions } from './connection-options.js';
import { Link } from './link.js';
import type { Listeners } from './listeners.js';
import type { PatienceOptions } from './patience.js';
import { Patience, pause } from './patience.js';
import type { Waiter } from './waiters.js';
import { Waiters } from './waiters.js';

/** What the loop works with. */
export interface ConnectLoopParts {
  readonly options: ResolvedConnectionOptions;
  readonly source: BrokerSource;
  readonly cursor: BrokerCursor;
  readonly attempts: Attempts;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly listeners: Listeners<ConnectionEvents>;
  /** Told of what went wrong without being in the way. */
  readonly warn: (error: Error) => void;
  /** Told of each link before anybody else is. */
  readonly onLink: (link: Link) => void;
}

export interface WaitOptions extends PatienceOptions {
  /** Failed rounds to bear after the first. Without it there is no limit. */
  readonly maxRetries?: number | undefined;
  /** Waits on while every broker refuses us, instead of being told at the end of the round. */
  readonly bearsRefusal?: boolean | undefined;
}

const asError = (value: unknown): Error =>
  value instanceof Error ? value : new Error(String(value));

/**
 * The one loop that connects, and connects again after each loss, with many who wait beside it. It runs while somebody
 * waits, and for good once it has been connected. Intervals are the loop's, patience is each waiter's.
 */
export class ConnectLoop {
  #state: ConnectionState<Link> = { status: 'idle', failures: [] };
  #everConnected = false;
  #lostAt: number | undefined;
  /** Ends the dial or pause in progress; a new one with each start of the loop. */
  #run = new AbortController();
  #closing: Promise<void> | undefined;
  readonly #waiters = new Waiters();
  /** Connections that were left for another one and are still closing. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(private readonly parts: ConnectLoopParts) {}

  get state(): ConnectionState<Link> {
    return this.#state;
  }

  /** What is connected right now. */
  get link(): Link | undefined {
    return this.#state.status === 'connected' && this.#state.link.live
      ? this.#state.link
      : undefined;
  }

  /** Resolves with the current link, or with the next one. */
  wait(options: WaitOptions = {}): Promise<Link> {
    if (this.#closing !== undefined) return Promise.reject(this.#closedError());
    if (options.signal?.aborted === true) return Promise.reject(asError(options.signal.reason));
    return this.link === undefined ? this.#waitBeside(options) : Promise.resolve(this.link);
  }

  async #waitBeside({ maxRetries, bearsRefusal = false, ...patience }: WaitOptions): Promise<Link> {
    const { attempts, clock } = this.parts;
    const patient = new Patience(clock, patience, () => {
      const { failures, next } = attempts;
      const message = connectTimedOut(patience.timeout ?? 0, failures);
      return new OperationalError(message, next - 1, failures, { cause: failures.at(-1)?.error });
    });
    let waiter: Waiter | undefined;
    const connected = new Promise<Link>((resolve, reject) => {
      waiter = { maxRetries, bearsRefusal, resolve, reject, failures: 0 };
      this.#waiters.add(waiter);
    });
    if (this.#state.status === 'idle') this.#start(0);
    try {
      return await patient.race(connected);
    } finally {
      patient[Symbol.dispose]();
      if (waiter !== undefined) this.#waiters.delete(waiter);
      this.#restUnlessWanted();
    }
  }

  /** Leaves the current broker, if it is another one, and dials this one next. */
  switchTo(broker: Broker): void {
    if (this.#closing !== undefined) throw this.#closedError();
    const { cursor, clock } = this.parts;
    const { link } = this;
    cursor.pointTo(cursor.brokers.find((known) => known.equals(broker)) ?? broker);
    if (link?.connection.broker.equals(broker) === true || this.#state.status === 'idle') return;
    if (link !== undefined) {
      this.#lostAt = clock.now();
      const closed = link.connection.close().finally(() => this.#leaving.delete(closed));
      this.#leaving.add(closed);
    }
    this.#start(0);
  }

  /** Ends everything, whatever the state, within the close deadline. Idempotent; never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { clock, listeners, options } = this.parts;
    const { link } = this;
    this.#move({ status: 'closing', since: clock.now() });
    this.#run.abort();
    this.#waiters.rejectAll(this.#closedError());
    await Promise.all([link?.connection.close(), ...this.#leaving]);
    this.#move({ status: 'closed', since: clock.now() });
    listeners.emit('closed', { connectionName: options.connectionName });
  }

  #start(wait: number): void {
    this.#run.abort();
    this.#run = new AbortController();
    void this.#connect(wait, this.#run.signal);
  }

  /** Until connected, unwanted or aborted; never rejects. Without a wait the first dial happens in this turn. */
  async #connect(firstWait: number, signal: AbortSignal): Promise<void> {
    for (let next: NextAttempt | undefined, wait = firstWait; ; wait = next.wait) {
      if (wait > 0) {
        this.#rest(wait, next?.refused === true);
        await pause(this.parts.clock, wait, signal).catch(() => undefined);
        if (signal.aborted) return;
      }
      const broker = await this.#chooseBroker(signal);
      if (signal.aborted) return;
      const dialled = broker instanceof Error ? broker : await this.#dial(broker, signal);
      if (!(dialled instanceof Error)) {
        // Closed or switched while the dial was succeeding: this connection is nobody's.
        if (signal.aborted) dialled.destroy(this.#closedError());
        else this.#connected(dialled);
        return;
      }
      if (signal.aborted) return;
      next = this.#failed(broker instanceof Error ? undefined : broker, dialled);
      if (!this.#wanted) return this.#restUnlessWanted();
    }
  }

  /** Asks for the list, where it may change, at the begin of each round; an old list is better than none. */
  async #chooseBroker(signal: AbortSignal): Promise<Broker | Error> {
    const { attempts, source, cursor, clock, options } = this.parts;
    if (source.fixed !== undefined) cursor.renew(source.fixed);
    else if (attempts.startsRound) {
      this.#move({ status: 'connecting', since: clock.now(), broker: URLS });
      const late = () => new Error(`no answer within ${options.connectTimeout} ms`);
      const patience = new Patience(clock, { timeout: options.connectTimeout, signal }, late);
      try {
        cursor.renew(await patience.race(source.ask()));
      } catch (cause) {
        const error = new ConfigurationError(urlsFailed(asError(cause).message), { cause });
        if (cursor.current === undefined) return error;
        this.parts.warn(error);
      } finally {
        patience[Symbol.dispose]();
      }
    }
    return cursor.current as Broker;
  }

  #dial(broker: Broker, signal: AbortSignal): Promise<BrokerConnection | Error> {
    const { attempts, options, transport, clock, listeners } = this.parts;
    this.#move({ status: 'connecting', since: clock.now(), broker: broker.toString() });
    listeners.emit('connecting', { broker: broker.toString(), attempt: attempts.next });
    const connectTimeout = broker.connectTimeout ?? options.connectTimeout;
    return transport.connect(broker, { ...options, connectTimeout, signal }).catch(asError);
  }

  #failed(broker: Broker | undefined, error: Error): NextAttempt {
    const { attempts, listeners } = this.parts;
    const attempt = attempts.next;
    const next = attempts.failed(broker, error);
    const { failures, size } = attempts;
    const address = broker?.toString() ?? URLS;
    listeners.emit('failed', { broker: address, error, attempt, interval: next.wait });
    this.#waiters.attemptFailed(size, failures);
    if (next.refused) {
      listeners.emit('refused', { failures, interval: next.wait });
      this.#waiters.refused(failures);
    }
    return next;
  }

  #connected(connection: BrokerConnection): void {
    const { attempts, clock, listeners } = this.parts;
    const link = new Link(connection);
    const { broker } = link;
    this.parts.onLink(link);
    const since = clock.now();
    const outage = this.#lostAt === undefined ? undefined : since - this.#lostAt;
    this.#move({ status: 'connected', since, broker, link });
    this.#everConnected = true;
    listeners.emit('connected', { broker, attempt: attempts.next, outage });
    attempts.connected(connection.broker);
    this.#waiters.connected(link);
    connection.onBlocked((reason) => listeners.emit('blocked', { broker, reason }));
    connection.onEnd((loss) => this.#lost(link, since, loss));
  }

  #lost(link: Link, since: number, error: AmqpError): void {
    if (this.#state.status !== 'connected' || this.#state.link !== link) return;
    const { attempts, options, clock, listeners } = this.parts;
    this.#lostAt = clock.now();
    const lived = this.#lostAt - since;
    const next = attempts.lost(link.connection.broker, error, lived >= options.livedAfter);
    listeners.emit('lost', { broker: link.broker, error, lived, interval: next.wait });
    this.#start(next.wait);
  }

  get #wanted(): boolean {
    return this.#everConnected || this.#waiters.count > 0;
  }

  #restUnlessWanted(): void {
    const { status } = this.#state;
    const trying = status === 'connecting' || status === 'waiting' || status === 'refused';
    if (this.#wanted || !trying) return;
    this.#run.abort();
    this.parts.attempts.startAfresh();
    this.#move({ status: 'idle', failures: this.parts.attempts.failures });
  }

  #rest(wait: number, refused: boolean): void {
    const since = this.parts.clock.now();
    const { failures } = this.parts.attempts;
    this.#move({ status: refused ? 'refused' : 'waiting', since, until: since + wait, failures });
  }

  #move(to: ConnectionState<Link>): void {
    this.#state = connectionTransition(this.#state, to);
  }

  #closedError(): ConnectionClosedError {
    return new ConnectionClosedError(connectionClosed(this.parts.options.connectionName));
  }
}
