import type { Channel } from '../amqp/channel.js';
import type { Queue } from '../amqp/queue.js';
import type { BrokerConnection } from '../amqp/transport.js';

/**
 * What lives and dies with one connection to one broker. Nothing of it is ever cleared: a new connection gets a new link,
 * and whoever comes late with the old one is recognised by identity.
 */
export class Link {
  #defaultChannel: Promise<Channel> | undefined;
  /**
   * What is declared on this connection: the name under which the broker knows it. By declaration key; a queue that the
   * server names stands for itself, as two of them are never the same.
   */
  readonly declared = new Map<string | Queue, Promise<string>>();

  /** The address of the broker with its password masked. */
  readonly broker: string;

  constructor(readonly connection: BrokerConnection) {
    this.broker = connection.broker.toString();
  }

  get live(): boolean {
    return this.connection.loss === undefined;
  }

  /** One channel for all who do not need their own; opened on first use, and anew after it was closed. */
  async defaultChannel(): Promise<Channel> {
    const opened = this.#defaultChannel;
    if (opened !== undefined) {
      const channel = await opened.catch(() => undefined);
      if (channel !== undefined && channel.loss === undefined) return channel;
      // Somebody who waited beside us may have renewed it already.
      if (this.#defaultChannel !== opened) return this.defaultChannel();
    }
    this.#defaultChannel = this.connection.openChannel();
    return this.#defaultChannel;
  }
}
