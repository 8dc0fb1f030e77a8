import type { Channel } from '../amqp/channel.js';
import { OperationalError, isConnectionClosedError, isOperationalError } from '../errors.js';
import type { BrokerFailure } from '../errors.js';
import { operationGaveUp, operationTimedOut } from '../failover.messages.js';
import type { AfterFailure } from '../policy/after-failure.js';
import { afterFailure } from '../policy/after-failure.js';
import type { Clock, Random } from '../policy/clock.js';
import type { IntervalPolicy } from '../policy/interval.js';
import type { ConnectionEvents } from './connection-events.js';
import type { EnsureOptions, ErrbackEvent, Revivable } from './ensure-options.js';
import { isRetryError } from './ensure-options.js';
import type { WaitOptions } from './connect-loop.js';
import type { Link } from './link.js';
import type { Listeners } from './listeners.js';
import { guarded } from './listeners.js';
import type { OperationFailure } from './operation-failure.js';
import { Patience, pause } from './patience.js';

/** What `ensure` needs of its connection. */
export interface EnsureParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly listeners: Listeners<ConnectionEvents>;
  /** The current link, or the next one. */
  readonly link: (patience: WaitOptions) => Promise<Link>;
  /** Aborted when the connection is closed by its owner. */
  readonly ended: AbortSignal;
  readonly judge: (error: unknown) => OperationFailure;
  readonly onCallbackError: (error: unknown, name: string) => void;
}

/** One call of an ensured operation. */
export interface EnsuredCall<R> {
  readonly name: string;
  /** Gets what is left of the caller's patience, for connecting. */
  readonly run: (patience: WaitOptions) => R | PromiseLike<R>;
  readonly revivable: Revivable | null;
  readonly options: EnsureOptions;
}

/** Where a policy has given up, or the owner has closed the connection, no other run will help. */
const isFinal = (error: unknown): boolean =>
  isOperationalError(error) || isConnectionClosedError(error);

/** Runs an operation until it succeeds, fails for good, or the caller's patience ends. One object a call. */
export class Ensured<R> {
  #retries = 0;
  #needsRevival = false;
  #lastError: unknown;
  readonly #failures = new Map<string, Error>();
  readonly #toldLosses = new WeakSet<Error>();
  readonly #policy: IntervalPolicy;

  constructor(
    private readonly parts: EnsureParts,
    private readonly call: EnsuredCall<R>,
  ) {
    const {
      intervalStart = 0,
      intervalStep = 500,
      intervalMax = 10_000,
      jitter = 0.2,
    } = call.options;
    this.#policy = { intervalStart, intervalStep, intervalMax, jitter };
  }

  async settle(): Promise<R> {
    this.parts.ended.throwIfAborted();
    const { options, name } = this.call;
    const { clock } = this.parts;
    const patience = new Patience(clock, options, () =>
      this.#operationalError((failures) =>
        operationTimedOut(name, options.timeout ?? 0, this.#retries + 1, this.#lastError, failures),
      ),
    );
    const deaf = this.#listen();
    try {
      for (;;) {
        patience.check();
        try {
          return await patience.race(this.#run(patience.signal));
        } catch (error) {
          patience.check();
          const wait = this.#waitAfter(error);
          if (wait > 0) await pause(clock, wait, patience.signal, this.parts.ended);
        }
      }
    } finally {
      deaf();
      patience[Symbol.dispose]();
    }
  }

  /** A loss while reviving is a failed run like any other: the next run revives anew. */
  async #run(signal: AbortSignal): Promise<R> {
    const { run } = this.call;
    const patience = this.#connectPatience(signal);
    if (this.#needsRevival) {
      await this.#revive(await this.parts.link(patience), signal);
      this.#needsRevival = false;
    }
    return run(patience);
  }

  async #revive(link: Link, signal: AbortSignal): Promise<void> {
    const { revivable, options } = this.call;
    if (revivable === null && options.onRevive === undefined) return;
    const channel: Channel = await link.defaultChannel();
    // Nobody waits any more for what is not begun yet.
    signal.throwIfAborted();
    await revivable?.revive(channel);
    signal.throwIfAborted();
    await options.onRevive?.(channel);
    signal.throwIfAborted();
  }

  /** A refusal is told to a first run; a service that has run goes on trying, since its password may be rotated right now. */
  #connectPatience(signal: AbortSignal): WaitOptions {
    const { maxRetries: most } = this.call.options;
    const maxRetries = most === undefined ? undefined : Math.max(0, most - this.#retries);
    return { signal, maxRetries, bearsRefusal: this.#retries > 0 };
  }

  /**
   * @returns how long to wait before the next run
   * @throws what the caller gets, when there is none
   */
  #waitAfter(error: unknown): number {
    const { options, name } = this.call;
    const failure = this.parts.judge(error);
    const own = failure.fault === undefined && !isFinal(error);
    const retryError = own && isRetryError(options.retryErrors, error);
    const run = { recoverableBy: failure.recoverableBy, retryError, retries: this.#retries };
    const plan = afterFailure(run, options.maxRetries, this.#policy, this.parts.random);
    this.#lastError = error;
    if (plan.act !== 'rethrow') {
      this.parts.ended.throwIfAborted();
      this.#tellFailedRun(error, failure, plan);
    }
    switch (plan.act) {
      case 'rethrow':
        throw error;
      case 'give-up': {
        const reason = error instanceof Error ? error.message : String(error);
        throw this.#operationalError((failures) =>
          operationGaveUp(name, this.#retries + 1, reason, failures),
        );
      }
      case 'run-again':
        this.#needsRevival ||= plan.revive;
        this.#retries += 1;
        return plan.wait;
    }
  }

  #tellFailedRun(
    error: unknown,
    { fault, recoverableBy }: OperationFailure,
    plan: AfterFailure,
  ): void {
    const told: ErrbackEvent = {
      error: error instanceof Error ? error : new Error(String(error)),
      interval: plan.act === 'run-again' ? plan.wait : 0,
      broker: fault?.broker ?? '',
      attempt: this.#retries + 1,
    };
    if (recoverableBy === 'connection') this.#tellLoss(fault?.loss ?? told.error, told);
    else this.#tell(told);
  }

  /** The run that failed by a loss and the event of that loss are one fact, told once, whichever comes first. */
  #tellLoss(loss: Error, told: ErrbackEvent): void {
    if (this.#toldLosses.has(loss)) return;
    this.#toldLosses.add(loss);
    this.#tell(told);
  }

  #tell(told: ErrbackEvent): void {
    if (told.broker !== '') this.#failures.set(told.broker, told.error);
    const { errback } = this.call.options;
    if (errback !== undefined) guarded(() => errback(told), 'errback', this.parts.onCallbackError);
  }

  #listen(): () => void {
    const { listeners } = this.parts;
    const offFailed = listeners.on('failed', (failed) => this.#tell(failed));
    const offLost = listeners.on('lost', ({ error, interval, broker }) =>
      this.#tellLoss(error, { error, interval, broker, attempt: this.#retries + 1 }),
    );
    return () => {
      offFailed();
      offLost();
    };
  }

  #operationalError(message: (failures: readonly BrokerFailure[]) => string): OperationalError {
    const failures = [...this.#failures].map(([broker, error]) => ({ broker, error }));
    return new OperationalError(message(failures), this.#retries + 1, failures, {
      cause: this.#lastError,
    });
  }
}
