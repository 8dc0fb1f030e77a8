import type { Channel } from '../amqp/channel.js';
import type { Link } from './link.js';

/** The channel of one declaration run. A 404 or 406 closes it and nothing else; the next step gets another one. */
export class DeclaringChannel {
  #channel: Channel | undefined;

  constructor(private readonly link: Link) {}

  async get(): Promise<Channel> {
    if (this.#channel === undefined || this.#channel.loss !== undefined) {
      this.#channel = await this.link.connection.openChannel();
    }
    return this.#channel;
  }

  async close(): Promise<void> {
    await this.#channel?.close();
  }
}
