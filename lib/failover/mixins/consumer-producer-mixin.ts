import type { FailoverConnection } from '../failover-connection.js';
import { Producer } from '../producer.js';
import { ConsumerMixin } from './consumer-mixin.js';

/**
 * A `ConsumerMixin` that publishes as well, on a connection of its own, so that a broker which holds publishers back (a memory
 * alarm) does not hold back the acks. Both are opened on first use and closed at the end of the run.
 */
export abstract class ConsumerProducerMixin extends ConsumerMixin {
  #connection: FailoverConnection | undefined;
  #producer: Producer | undefined;

  /** The connection of `producer`: another clone of `connection`. */
  get producerConnection(): FailoverConnection {
    this.#connection ??= this.connection.clone();
    return this.#connection;
  }

  /** Its promises tell the truth, as any producer's; await them before the ack of what caused them. */
  get producer(): Producer {
    this.#producer ??= new Producer(this.producerConnection);
    return this.#producer;
  }

  protected override async onRunEnd(): Promise<void> {
    const producer = this.#producer;
    const connection = this.#connection;
    this.#producer = undefined;
    this.#connection = undefined;
    await producer?.close();
    await connection?.close();
    await super.onRunEnd();
  }
}
