import type { BrokerFailure } from './errors.js';
import { ConnectionClosedError, isTopologyError, OperationalError } from './errors.js';
import type { ConsumerLoop } from './failover/consumer-loop.js';
import type { FailoverConnection } from './failover/failover-connection.js';
import { Patience } from './failover/patience.js';
import type { ResolvedModuleOptions } from './module-options.js';
import {
  backgroundStartFailed,
  closedWhileStarting,
  consumerStartFailed,
  startupTimedOut,
} from './nest.messages.js';
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

/** Anything but a mismatch may be mended while we wait: a missing permission, a queue whose node is down. */
const mayBeMended = (error: unknown): boolean => isTopologyError(error) && !isMismatch(error.code);

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
      void this.#up().catch((error: unknown) => this.#tellBackground(error));
      return;
    }
    const overdue = (): void => this.#abandoned.abort(this.#timedOut());
    const cancel = publishing.parts.clock.schedule(options.startupTimeout, overdue);
    try {
      await this.#up();
    } finally {
      cancel();
    }
  }

  /** Ends it, since the app is being shut down. */
  abandon(): void {
    this.#abandoned.abort(new ConnectionClosedError(closedWhileStarting(this.parts.name)));
    this.#release();
  }

  async #up(): Promise<void> {
    try {
      await this.#patience.race(this.#opened);
      await this.#patience.race(Promise.all(this.parts.loops.map((loop) => this.#consume(loop))));
    } finally {
      this.#release();
    }
  }

  /** In the background, a consumer that cannot be started is no reason to do without the others. */
  async #consume(loop: ConsumerLoop): Promise<void> {
    try {
      await loop.start();
    } catch (error) {
      if (this.parts.options.startup !== 'background') throw error;
      if (this.#abandoned.signal.aborted) return;
      this.parts.options.logger.error(consumerStartFailed(loop.name, textOf(error)), error);
    }
  }

  async #declared(connection: FailoverConnection): Promise<void> {
    const failFast = this.parts.options.startup === 'fail-fast';
    const declare = async (): Promise<void> => {
      await this.#connected(connection);
      await connection.declare(...connection.parts.topology.entities);
    };
    await connection.ensure(null, declare, {
      signal: this.#patience.signal,
      intervalStart: 500,
      ...(failFast
        ? { maxRetries: 0 }
        : { retryErrors: mayBeMended, errback: ({ error }) => this.#note('topology', error) }),
    })();
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
      this.#note(broker, error);
    };
    this.#deaf.push(connection.on('failed', note), connection.on('lost', note));
  }

  #note(what: string, error: Error): void {
    if (what === 'topology' && !isTopologyError(error)) return;
    this.#failures.set(what, error);
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

  #tellBackground(error: unknown): void {
    if (this.#abandoned.signal.aborted) return;
    const { name, options } = this.parts;
    options.logger.error(backgroundStartFailed(name, textOf(error)), error);
  }

  #release(): void {
    for (const deaf of this.#deaf.splice(0)) deaf();
    this.#patience[Symbol.dispose]();
  }
}
