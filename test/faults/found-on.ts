import type { Queue } from 'nestjs-failover';
import { useConnection } from '../kit/fronts.js';
import { idOf } from './ledger.js';
import type { Numbered } from './ledger.js';

/** Takes all that waits in a queue. */
export async function foundOn(url: string, queue: Queue): Promise<Set<string>> {
  const connection = useConnection({ urls: url });
  const channel = await connection.channel();
  const ids = new Set<string>();
  for (;;) {
    const message = await channel.get(queue.name, { noAck: true });
    if (message === false) break;
    ids.add(idOf(JSON.parse(message.content.toString()) as Numbered));
  }
  await connection.close();
  return ids;
}
