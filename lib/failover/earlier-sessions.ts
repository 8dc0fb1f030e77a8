import { atMost } from '../amqp/deadline.js';
import type { Clock } from '../policy/clock.js';
import type { ConsumeEndReason } from '../policy/consumer-state.js';
import type { ConsumerSession } from './consumer-session.js';
import { settledBefore } from './settled-before.js';

/** The sessions of a consumer that are over, but some of whose handlers still run. */
export class EarlierSessions {
  /** Handlers whose channel is gone: what they handle is delivered again. */
  readonly #lost = new Set<Promise<void>>();
  /** Sessions that were left while their channel lived, by what cuts their handlers short. */
  readonly #stopping = new Map<AbortController, Promise<void>>();

  constructor(
    private readonly clock: Clock,
    private readonly settleTimeout: number,
  ) {}

  /** Resolves when the handlers of all lost channels have settled, or after the settle timeout; undefined when none runs. */
  settled(): Promise<void> | undefined {
    return this.#lost.size === 0
      ? undefined
      : atMost(this.clock, this.settleTimeout, Promise.all(this.#lost));
  }

  lost(session: ConsumerSession): void {
    const settled = session.handlersSettled().finally(() => this.#lost.delete(settled));
    this.#lost.add(settled);
  }

  /** Leaves a session whose channel lives: its handlers may still ack, within the settle timeout. Never rejects. */
  stop(session: ConsumerSession, reason: ConsumeEndReason): Promise<void> {
    const late = new AbortController();
    const cancel = this.clock.schedule(this.settleTimeout, () => late.abort());
    const stopped = session.stop(reason, late.signal).finally(() => {
      cancel();
      this.#stopping.delete(late);
    });
    this.#stopping.set(late, stopped);
    return stopped;
  }

  /** Waits for all of them, at most until `late` aborts. Never rejects. */
  async end(late: AbortSignal): Promise<void> {
    const all = Promise.all([...this.#lost, ...this.#stopping.values()]);
    await settledBefore(late, all);
    for (const cut of this.#stopping.keys()) cut.abort();
    await Promise.all(this.#stopping.values());
  }
}
