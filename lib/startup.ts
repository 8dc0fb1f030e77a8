import type { BrokerFailure } from './errors.js';
import {
  ConnectionClosedError,
  isAmqpError,
  isConnectionClosedError,
  isTopologyError,
  OperationalError,
} from './errors.js';
import type { ConsumerLoop } from './failover/consumer-loop.js';
import type { FailoverConnection } from './failover/failover-connection.js';
import type { GivesUpOn } from './failover/first-start.js';
import { Patience, pause } from './failover/patience.js';
import type { Startup as StartupKind } from './interfaces/failover-module-options.interface.js';
import type { ResolvedModuleOptions } from './module-options.js';
import type { StartupStage } from './nest.messages.js';
import {
  closedWhileStarting,
  consumerFailed,
  startupTimedOut,
  topologyFailed,
  topologyWaits,
} from './nest.messages.js';
import { interval } from './policy/interval.js';
import { isMismatch } from './policy/reply-codes.js';

/** What is to be started. */
export interface StartupParts {
  readonly name: string;
  readonly options: ResolvedModuleOptions;
  readonly publishing: FailoverConnection;
  /** Undefined without consumers. */
  readonly consuming: FailoverConnection | undefined;
  readonly loops: readonly ConsumerLoop[];
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Where nobody is told of a failure, there is none that ends a consumer. */
const givesUpOn: Readonly<Record<StartupKind, GivesUpOn>> = {
  wait: 'mismatch',
  'fail-fast': 'failure',
  background: 'nothing',
};

/**
 * Time mends all that a broker refuses but a mismatch: a missing permission, a queue whose node is down. And it mends a loss.
 * While the app runs, somebody may mend a mismatch.
 */
const mayBeMended = (error: unknown, startup: StartupKind): boolean => {
  if (startup === 'fail-fast') return false;
  if (!isTopologyError(error)) return isAmqpError(error);
  return startup === 'background' || !isMismatch(error.code);
};

/**
 * Brings up one connection in two steps: `open()` connects and declares, as early as all that is to be declared is known;
 * `complete()` waits for that and has the consumers consume.
 */
export class Startup {
  readonly #abandoned = new AbortController();
  readonly #failures = new Map<string, Error>();
  readonly #deaf: (() => void)[] = [];
  readonly #patience: Patience;
  #attempts = 0;
  #stage: StartupStage = 'connecting';
  #opened: Promise<void> = Promise.resolve();

  constructor(private readonly parts: StartupParts) {
    const { clock } = parts.publishing.parts;
    this.#patience = new Patience(clock, { signal: this.#abandoned.signal }, () => new Error());
  }

  open(): void {
    const { publishing, consuming } = this.parts;
    for (const connection of this.#connections) this.#listen(connection);
    this.#opened = Promise.all([
      this.#declared(publishing),
      consuming && this.#connected(consuming),
    ]).then(() => {
      this.#stage = 'consuming';
    });
    // Told by complete(), which may come much later.
    this.#opened.catch(() => undefined);
  }

  /**
   * Resolves when connected, declared and consuming, at once with `background`.
   *
   * @throws OperationalError broker by broker
   * @throws TopologyError when the broker holds something that differs
   * @throws with `fail-fast`, whatever kept a consumer from consuming
   */
  async complete(): Promise<void> {
    const { options, publishing } = this.parts;
    if (options.startup === 'background') {
      this.#completeInBackground();
      return;
    }
    const overdue = (): void => this.#abandoned.abort(this.#timedOut());
    const cancel = publishing.parts.clock.schedule(options.startupTimeout, overdue);
    try {
      await this.#patience.race(this.#opened);
      await this.#patience.race(Promise.all(this.parts.loops.map((loop) => this.#consuming(loop))));
    } finally {
      cancel();
      this.#release();
    }
  }

  /** @throws what the consumer gives up on, which does not always name it: so that is logged */
  async #consuming(loop: ConsumerLoop): Promise<void> {
    const { startup, logger } = this.parts.options;
    try {
      await loop.start({ givesUpOn: givesUpOn[startup] });
    } catch (error) {
      if (!isConnectionClosedError(error))
        logger.error(consumerFailed(loop.name, textOf(error)), error);
      throw error;
    }
  }

  /** What cannot be had is no reason to do without the rest. */
  #completeInBackground(): void {
    const { name, loops, options } = this.parts;
    const tell = (text: string, error: unknown): void => {
      if (!this.#abandoned.signal.aborted) options.logger.error(text, error);
    };
    this.#opened.catch((error: unknown) => tell(topologyFailed(name, textOf(error)), error));
    for (const loop of loops) {
      const failed = (error: unknown): void =>
        tell(consumerFailed(loop.name, textOf(error)), error);
      void loop.start({ givesUpOn: givesUpOn.background }).catch(failed);
    }
  }

  /** Ends it, since the app is being shut down. */
  abandon(): void {
    this.#abandoned.abort(new ConnectionClosedError(closedWhileStarting(this.parts.name)));
    this.#release();
  }

  async #declared(connection: FailoverConnection): Promise<void> {
    const { topology, clock, random, options, logger } = connection.parts;
    const { signal } = this.#patience;
    for (let failed = 0; ; failed += 1) {
      await this.#connected(connection);
      try {
        await this.#patience.race(connection.declare(...topology.entities));
        return;
      } catch (error) {
        this.#patience.check();
        if (!mayBeMended(error, this.parts.options.startup)) throw error;
        if (isTopologyError(error)) this.#failures.set('topology', error);
      }
      const wait = interval(options, failed, random);
      const error = this.#failures.get('topology');
      if (error !== undefined) {
        const level = isTopologyError(error) && isMismatch(error.code) ? 'error' : 'warn';
        logger[level](topologyWaits(this.parts.name, error.message, wait));
      }
      await pause(clock, wait, signal);
    }
  }

  async #connected(connection: FailoverConnection): Promise<void> {
    const { signal } = this.#patience;
    const { startup } = this.parts.options;
    // Without anybody who waits for us, a refusal is no end either.
    if (startup === 'background') await connection.parts.loop.wait({ signal, bearsRefusal: true });
    else if (startup === 'fail-fast') await connection.ensureConnection({ signal, maxRetries: 0 });
    else await connection.ensureConnection({ signal });
  }

  get #connections(): readonly FailoverConnection[] {
    const { publishing, consuming } = this.parts;
    return consuming === undefined ? [publishing] : [publishing, consuming];
  }

  #listen(connection: FailoverConnection): void {
    const note = ({ broker, error }: { broker: string; error: Error }): void => {
      this.#attempts += 1;
      this.#failures.set(broker, error);
    };
    const connected = (): void => {
      if (this.#stage === 'connecting') this.#stage = 'declaring';
    };
    this.#deaf.push(
      connection.on('failed', note),
      connection.on('lost', note),
      connection.on('connected', connected),
    );
  }

  #timedOut(): OperationalError {
    const { name, options, loops } = this.parts;
    const failures: BrokerFailure[] = [...this.#failures].map(([broker, error]) => ({
      broker,
      error,
    }));
    const waiting = loops
      .filter(({ state }) => state.status !== 'consuming')
      .map(({ name: consumer, lastError }) =>
        lastError === undefined ? consumer : `${consumer} (${lastError.message})`,
      );
    return new OperationalError(
      startupTimedOut(name, options.startupTimeout, this.#attempts, failures, waiting, this.#stage),
      this.#attempts,
      failures,
      { cause: failures.at(-1)?.error },
    );
  }

  #release(): void {
    for (const deaf of this.#deaf.splice(0)) deaf();
    this.#patience[Symbol.dispose]();
  }
}
