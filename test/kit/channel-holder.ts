import type { Channel, Revivable } from '../../lib/index.js';

/** Holds a channel and takes another one after a failover, as the objects do that kombu's `ensure` was made for. */
export class ChannelHolder implements Revivable {
  /** Every channel it was revived with. */
  readonly revivals: Channel[] = [];
  /** How often `declare` ran. */
  runs = 0;

  constructor(private channel: Channel) {}

  /** The port of the broker that its channel belongs to. */
  get port(): number {
    return this.channel.connection.broker.port;
  }

  revive(channel: Channel): unknown {
    this.revivals.push(channel);
    this.channel = channel;
    return undefined;
  }

  async declare(queue: string): Promise<string> {
    this.runs += 1;
    return (await this.channel.assertQueue(queue)).queue;
  }

  async check(queue: string): Promise<number> {
    this.runs += 1;
    return (await this.channel.checkQueue(queue)).messageCount;
  }
}
