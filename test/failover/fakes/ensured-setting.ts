import type { Channel } from '../../../lib/amqp/channel.js';
import type { EnsureOptions, Revivable } from '../../../lib/failover/ensure-options.js';
import { fakeSetting } from './fake-setting.js';

/** Holds a channel, as user code does, and writes down on which broker it was revived. */
export class Holder implements Revivable {
  channel: Channel | undefined;
  readonly revivedOn: string[] = [];

  revive(channel: Channel): void {
    this.channel = channel;
    this.revivedOn.push(channel.connection.broker.hostname);
  }
}

/** A connected setting with an operation that asks the broker for a queue on the holder's channel. */
export async function ensured(options: EnsureOptions = {}, urls = 'amqp://a;amqp://b;amqp://c') {
  const setting = fakeSetting({ urls });
  const { connection } = setting;
  await connection.ensureConnection();
  const holder = new Holder();
  holder.channel = await connection.defaultChannel();
  const runs: string[] = [];
  async function check(this: unknown, queue: string) {
    runs.push(queue);
    return (await holder.channel?.checkQueue(queue))?.queue;
  }
  return { ...setting, holder, runs, operation: connection.ensure(holder, check, options) };
}
