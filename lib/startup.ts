import type { BrokerFailure } from './errors.js';
import { ConnectionClosedError, isAmqpError, isTopologyError, OperationalError } from './errors.js';
import type { ConsumerLoop } from './failover/consumer-loop.js';
import type { FailoverConnection } from './failover/failover-connection.js';
import { Patience, pause } from './failover/patience.js';
import type { ResolvedModuleOptions } from './module-options.js';
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

/** Time mends all that a broker refuses but a mismatch: a missing permission, a queue whose node is down. And it mends a loss. */
const mayBeMended = (error: unknown): boolean =>
  isTopologyError(error) ? !isMismatch(error.code) : isAmqpError(error);

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
    ]).then(() => undefined);
    // Told by complete(), which may come much later.
    this.#opened.catch(() => undefined);
  }

  /**
   * Resolves when connected, declared and consuming, at once with `background`.
   *
   * @throws OperationalError broker by broker
   * @throws TopologyError when the broker holds something that differs
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
      await this.#patience.race(Promise.all(this.parts.loops.map((loop) => loop.start())));
    } finally {
      cancel();
      this.#release();
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
      void loop.start().catch(failed);
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
        if (this.parts.options.startup === 'fail-fast' || !mayBeMended(error)) throw error;
        if (isTopologyError(error)) this.#failures.set('topology', error);
      }
      const wait = interval(options, failed, random);
      const error = this.#failures.get('topology');
      if (error !== undefined) logger.warn(topologyWaits(this.parts.name, error.message, wait));
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
    this.#deaf.push(connection.on('failed', note), connection.on('lost', note));
  }

  #timedOut(): OperationalError {
    const { name, options, loops } = this.parts;
    const failures: BrokerFailure[] = [...this.#failures].map(([broker, error]) => ({
      broker,
      error,
    }));
    const waiting = loops
      .filter(({ state }) => state.status !== 'consuming')
      .map(({ name: consumer, state }) =>
        state.status === 'waiting' ? `${consumer} (${state.error.message})` : consumer,
      );
    return new OperationalError(
      startupTimedOut(name, options.startupTimeout, this.#attempts, failures, waiting),
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
