import type { ConsumerDefinition } from './failover/consumer-definition.js';
import { ConsumerLoop } from './failover/consumer-loop.js';
import { FailoverConnection } from './failover/failover-connection.js';
import type { Producer } from './failover/producer.js';
import type { Entity } from './failover/topology.js';
import type { ResolvedModuleOptions } from './module-options.js';
import { Shutdown } from './shutdown.js';
import { Startup } from './startup.js';

/**
 * One named connection from start to stop: the connection that its producer publishes on, and a clone of it for its
 * consumers, so that a blocked publisher never holds up an ack. The clone is made only if there are consumers.
 */
export class ConnectionLifecycle {
  #consuming: FailoverConnection | undefined;
  readonly #loops: ConsumerLoop[] = [];
  #startup: Startup | undefined;
  #shutdown: Shutdown | undefined;

  constructor(
    readonly name: string,
    readonly connection: FailoverConnection,
    private readonly producer: Producer,
    private readonly options: ResolvedModuleOptions,
  ) {}

  get consumers(): readonly ConsumerLoop[] {
    return this.#loops;
  }

  /** @throws ConfigurationError when one is declared twice, and differently */
  declare(...entities: readonly Entity[]): void {
    if (this.isLive) this.connection.parts.topology.add(...entities);
  }

  /** Takes a consumer, which is started with the others. */
  consume(definition: ConsumerDefinition): void {
    if (!this.isLive) return;
    this.#consuming ??= this.connection.clone({
      connectionName: this.options.consumerConnectionName,
    });
    this.#loops.push(new ConsumerLoop(this.#consuming, definition));
  }

  /** Begins to connect and to declare; what comes of it is told by `start()`. */
  open(): void {
    if (!this.isLive || this.#shutdown !== undefined) return;
    this.declare(...this.options.declare);
    this.#startup = new Startup({
      name: this.name,
      options: this.options,
      publishing: this.connection,
      consuming: this.#consuming,
      loops: this.#loops,
    });
    this.#startup.open();
  }

  /** Resolves when everything is up, as far as `startup` asks for that. */
  async start(): Promise<void> {
    await this.#startup?.complete();
  }

  /** Stops the consumers, within what `shutdownTimeout` leaves beside the time for flushing. Idempotent; never rejects. */
  stopConsumers(): Promise<void> {
    return this.#shuttingDown().stopConsumers();
  }

  /** Ends the producer and closes the connections, within what is left of `shutdownTimeout`. Idempotent; never rejects. */
  close(): Promise<void> {
    return this.#shuttingDown().close();
  }

  #shuttingDown(): Shutdown {
    this.#startup?.abandon();
    this.#shutdown ??= new Shutdown({
      name: this.name,
      options: this.options,
      loops: this.#loops,
      producer: this.producer,
      connections: this.isLive
        ? [this.#consuming, this.connection].filter((one) => one !== undefined)
        : [],
    });
    return this.#shutdown;
  }

  /** A test double in place of the connection is neither started nor stopped. */
  private get isLive(): boolean {
    return this.connection instanceof FailoverConnection;
  }
}
