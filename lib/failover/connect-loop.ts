import { setMaxListeners } from 'node:events';
import type { Broker } from '../amqp/broker.js';
import type { BrokerConnection } from '../amqp/transport.js';
import type { AmqpError } from '../errors.js';
import { ConnectionClosedError, OperationalError } from '../errors.js';
import { connectTimedOut, connectionClosed } from '../failover.messages.js';
import type { ConnectionState } from '../policy/connection-state.js';
import { connectionTransition } from '../policy/connection-state.js';
import type { NextAttempt } from '../policy/round.js';
import { URLS } from './attempts.js';
import { ClosingConnections } from './closing-connections.js';
import type { ConnectLoopParts } from './connect-loop-parts.js';
import { Link } from './link.js';
import type { PatienceOptions } from './patience.js';
import { Patience, pause } from './patience.js';
import type { Waiter } from './waiters.js';
import { Waiters } from './waiters.js';

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
  readonly #life = new AbortController();
  readonly #waiters = new Waiters();
  readonly #closingConnections: ClosingConnections;

  constructor(private readonly parts: ConnectLoopParts) {
    this.#closingConnections = new ClosingConnections(parts.clock, parts.options.closeTimeout);
    // As many operations may pause at once as like.
    setMaxListeners(0, this.#life.signal);
  }

  get state(): ConnectionState<Link> {
    return this.#state;
  }

  /** Aborted, with the error that callers get, when `close` is called. */
  get ended(): AbortSignal {
    return this.#life.signal;
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
    if (options.signal?.aborted === true) {
      return Promise.reject(options.signal.reason as Error);
    }
    return this.link === undefined ? this.#waitBeside(options) : Promise.resolve(this.link);
  }

  async #waitBeside({ maxRetries, bearsRefusal = false, ...patience }: WaitOptions): Promise<Link> {
    const patient = new Patience(this.parts.clock, patience, () =>
      this.timedOut(patience.timeout ?? 0),
    );
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

  /** What a caller gets whose `timeout` has passed. */
  timedOut(timeout: number): OperationalError {
    const { failures, next } = this.parts.attempts;
    const cause = failures.at(-1)?.error;
    return new OperationalError(connectTimedOut(timeout, failures), next - 1, failures, { cause });
  }

  /** Leaves the current broker, if it is another one, and dials this one in this turn. */
  switchTo(broker: Broker): void {
    if (this.#closing !== undefined) throw this.#closedError();
    const { attempts, clock, cursor } = this.parts;
    const { link } = this;
    cursor.pointTo(broker);
    if (link?.connection.broker.equals(broker) === true || this.#state.status === 'idle') return;
    attempts.startAfresh();
    if (link !== undefined) this.#lostAt = clock.now();
    // First, so that nobody takes the old connection for the current one while it closes.
    this.#start(0);
    if (link !== undefined) this.#closingConnections.add(link.connection, this.#closedError());
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
    this.#life.abort(this.#closedError());
    this.#waiters.rejectAll(this.#closedError());
    if (link !== undefined) this.#closingConnections.add(link.connection, this.#closedError());
    await this.#closingConnections.settled();
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
      const choice = this.parts.choice.next(this.parts.attempts.startsRound, signal);
      if (choice instanceof Promise) this.#connecting(URLS);
      const broker = choice instanceof Promise ? await choice : choice;
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

  #dial(broker: Broker, signal: AbortSignal): Promise<BrokerConnection | Error> {
    const { attempts, options, transport, listeners } = this.parts;
    this.#connecting(broker.toString());
    listeners.emit('connecting', { broker: broker.toString(), attempt: attempts.next });
    const connectTimeout = broker.connectTimeout ?? options.connectTimeout;
    return transport.connect(broker, { ...options, connectTimeout, signal }).catch(asError);
  }

  #failed(broker: Broker | undefined, error: Error): NextAttempt {
    const { attempts, listeners } = this.parts;
    const attempt = attempts.next;
    const next = attempts.failed(broker, error);
    const { failures, size: brokers } = attempts;
    const { refused } = next;
    const address = broker?.toString() ?? URLS;
    listeners.emit('failed', { broker: address, error, attempt, interval: next.wait });
    if (refused) listeners.emit('refused', { failures, interval: next.wait });
    this.#waiters.attemptFailed({ brokers, failures, refused });
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

  #connecting(broker: string): void {
    this.#move({ status: 'connecting', since: this.parts.clock.now(), broker });
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
