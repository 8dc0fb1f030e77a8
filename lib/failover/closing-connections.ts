import { atMost } from '../amqp/deadline.js';
import type { BrokerConnection } from '../amqp/transport.js';
import type { Clock } from '../policy/clock.js';

/** Connections that are left, for good or for another one, and are still closing. */
export class ClosingConnections {
  readonly #closing = new Set<Promise<void>>();

  constructor(
    private readonly clock: Clock,
    private readonly closeTimeout: number,
  ) {}

  /**
   * Closes by handshake. A connection promises to keep `closeTimeout` by itself; one that does not is destroyed then, since
   * stopping must be bounded whatever the transport does.
   */
  add(connection: BrokerConnection, reason: Error): void {
    const closed = this.#close(connection, reason).finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  /** Resolves when all are closed; never rejects. */
  async settled(): Promise<void> {
    await Promise.all(this.#closing);
  }

  async #close(connection: BrokerConnection, reason: Error): Promise<void> {
    const handshake = { over: false };
    const closed = connection.close().finally(() => {
      handshake.over = true;
    });
    await atMost(this.clock, this.closeTimeout, closed);
    if (!handshake.over) connection.destroy(reason);
  }
}
