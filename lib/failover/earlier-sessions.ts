import { setMaxListeners } from 'node:events';
import type { Clock } from '../policy/clock.js';
import type { ConsumeEndReason } from '../policy/consumer-state.js';
import type { ConsumerSession } from './consumer-session.js';
import { settledWithin } from './settled-within.js';

/** Keeps a promise until it has settled. */
function keep(all: Set<Promise<void>>, one: Promise<void>): void {
  all.add(one);
  void one.then(() => all.delete(one));
}

/** The sessions of a consumer that are over, but some of whose handlers still run. */
export class EarlierSessions {
  /** Handlers whose channel is gone. */
  readonly #running = new Set<Promise<void>>();
  /** The same, but no longer than the settle timeout: what they handle is delivered again. */
  readonly #held = new Set<Promise<void>>();
  /** Sessions that were left while their channel lived. */
  readonly #stopping = new Map<ConsumerSession, Promise<void>>();
  readonly #lostOnes = new WeakSet<ConsumerSession>();
  /** To which is delivered what the earlier ones lose. */
  #latest: ConsumerSession | undefined;

  /** @param over ends every wait */
  constructor(
    private readonly clock: Clock,
    private readonly settleTimeout: number,
    private readonly over: AbortSignal,
  ) {
    setMaxListeners(0, over);
  }

  /**
   * The session that comes after all others: what may be a second run of one that they run is held back on it, until the
   * handlers of lost channels have settled, or for the settle timeout.
   */
  precede(session: ConsumerSession): void {
    this.#latest = session;
    for (const held of this.#held) session.holdSuspects(held);
  }

  /** Whatever became of its channel: while that lives, so do the acks of the handlers that run. */
  leave(session: ConsumerSession, reason: ConsumeEndReason): void {
    if (session.loss === undefined) void this.stop(session, reason);
    else this.#lost(session);
  }

  /** Its channel is gone. Its handlers run on all the same. */
  #lost(session: ConsumerSession): void {
    if (session.running === 0 || this.#lostOnes.has(session)) return;
    this.#lostOnes.add(session);
    const settled = session.handlersSettled();
    keep(this.#running, settled);
    const held = settledWithin(this.clock, this.settleTimeout, this.over, settled);
    keep(this.#held, held);
    // It may have begun while this channel lived.
    if (this.#latest !== session) this.#latest?.holdSuspects(held);
  }

  /**
   * Ends a session whose channel lives: its handlers may still ack within `timeout` milliseconds; then the channel is closed,
   * which flushes their acks. Never rejects.
   */
  stop(
    session: ConsumerSession,
    reason: ConsumeEndReason,
    timeout: number | undefined = this.settleTimeout,
  ): Promise<void> {
    let stopped = this.#stopping.get(session);
    if (stopped === undefined) {
      // When its channel ends before its handlers have settled, what they handle is delivered again.
      session.signal.addEventListener('abort', () => this.#lost(session), { once: true });
      session.end(reason);
      stopped = this.#stop(session, timeout);
      this.#stopping.set(session, stopped);
    }
    return stopped;
  }

  /** Resolves when none of their handlers runs any more and their channels are closed. */
  async idle(): Promise<void> {
    await Promise.all([...this.#running, ...this.#stopping.values()]);
  }

  /** The same, but no longer than the settle timeout. */
  settled(): Promise<void> {
    return settledWithin(this.clock, this.settleTimeout, this.over, this.idle());
  }

  async #stop(session: ConsumerSession, timeout: number | undefined): Promise<void> {
    await settledWithin(this.clock, timeout, this.over, session.handlersSettled());
    // A broker gives back what is not acked before it answers.
    this.#lost(session);
    await session.channel.close();
    this.#stopping.delete(session);
  }
}
