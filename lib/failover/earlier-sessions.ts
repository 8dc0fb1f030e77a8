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

  /** @param over ends every wait */
  constructor(
    private readonly clock: Clock,
    private readonly settleTimeout: number,
    private readonly over: AbortSignal,
  ) {
    setMaxListeners(0, over);
  }

  /** Resolves when the handlers of lost channels have settled, or after the settle timeout; undefined when none runs. */
  suspectsHeld(): Promise<void> | undefined {
    return this.#held.size === 0 ? undefined : Promise.all(this.#held).then(() => undefined);
  }

  /** Whatever became of its channel: while that lives, so do the acks of the handlers that run. */
  leave(session: ConsumerSession, reason: ConsumeEndReason): void {
    if (session.loss === undefined) void this.stop(session, reason);
    else this.#lost(session);
  }

  /** Its channel is gone. Its handlers run on all the same. */
  #lost(session: ConsumerSession): void {
    if (session.running === 0) return;
    const settled = session.handlersSettled();
    keep(this.#running, settled);
    keep(this.#held, settledWithin(this.clock, this.settleTimeout, this.over, settled));
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
    await session.channel.close();
    this.#stopping.delete(session);
  }
}
