import { ConnectionClosedError } from './errors.js';
import type { ConsumerLoop } from './failover/consumer-loop.js';
import type { FailoverConnection } from './failover/failover-connection.js';
import { Producer } from './failover/producer.js';
import { systemClock } from './failover/clock.js';
import type { ResolvedModuleOptions } from './module-options.js';
import { shutdownDeadline, stopFailed } from './nest.messages.js';
import type { Clock } from './policy/clock.js';

/** What is to be stopped. */
export interface ShutdownParts {
  readonly name: string;
  readonly options: ResolvedModuleOptions;
  readonly loops: readonly ConsumerLoop[];
  readonly producer: Producer;
  readonly connections: readonly FailoverConnection[];
}

/** Kept of the deadline: for the acks of handlers that finish late, for the last confirms, for closing handshakes. */
const FLUSHING = 2_000;

/** Stops one connection in two steps, under one deadline that begins with it. Idempotent; no step rejects. */
export class Shutdown {
  readonly #clock: Clock;
  readonly #deadline: number;
  #consumersStopped: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(private readonly parts: ShutdownParts) {
    this.#clock = parts.connections[0]?.parts.clock ?? systemClock;
    this.#deadline = this.#clock.now() + parts.options.shutdownTimeout;
  }

  stopConsumers(): Promise<void> {
    const { loops } = this.parts;
    const timeout = this.#left(FLUSHING);
    this.#consumersStopped ??= this.#each(
      loops,
      ({ name }) => `consumer ${name}`,
      (loop) => loop.stop({ timeout }),
    );
    return this.#consumersStopped;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { producer, connections } = this.parts;
    await this.stopConsumers();
    const timeout = this.#left(FLUSHING / 2);
    // A test double in its place has nothing to end.
    await this.#each(
      producer instanceof Producer ? [producer] : [],
      () => 'the producer',
      (one) => one.close({ timeout }),
    );
    await this.#each(
      connections,
      () => 'a connection',
      (one) => this.#closeConnection(one),
    );
  }

  /** By handshake while there is time; what is left then is destroyed. */
  async #closeConnection(connection: FailoverConnection): Promise<void> {
    const { name, options } = this.parts;
    const { link } = connection.parts.loop;
    const destroy = (): void =>
      link?.connection.destroy(
        new ConnectionClosedError(shutdownDeadline(name, options.shutdownTimeout)),
      );
    const cancel = this.#clock.schedule(this.#left(), destroy);
    try {
      await connection.close();
    } finally {
      cancel();
    }
  }

  #left(kept = 0): number {
    return Math.max(0, this.#deadline - kept - this.#clock.now());
  }

  /** A shutdown hook that throws would keep Nest from stopping the rest of the app. */
  async #each<T>(
    all: readonly T[],
    name: (one: T) => string,
    stop: (one: T) => Promise<void>,
  ): Promise<void> {
    await Promise.all(
      all.map(async (one) => {
        try {
          await stop(one);
        } catch (error) {
          this.parts.options.logger.error(stopFailed(name(one)), error);
        }
      }),
    );
  }
}
