import { onTestFinished } from 'vitest';
import type {
  FailoverConnection,
  FailoverConnectionOptions,
  ProducerOptions,
  PublishError,
  PublishOptions,
  PublishReceipt,
} from 'nestjs-failover';
import { Producer } from 'nestjs-failover';
import type { Place, Vhost } from '../kit/brokers.js';
import { useVhost } from '../kit/brokers.js';
import { useConnection } from '../kit/fronts.js';

/** How a publish ended: `confirmed`, or its outcome. */
export interface Ending {
  readonly outcome: string;
  readonly receipt?: PublishReceipt;
  readonly error?: PublishError;
}

const endingOf = (publish: Promise<PublishReceipt>): Promise<Ending> =>
  publish.then(
    (receipt) => ({ outcome: 'confirmed', receipt }),
    (error: PublishError) => ({ outcome: error.outcome, error }),
  );

/** A producer in a virtual host of the test's own; both end with it. */
export async function usePublishing(
  place: Place,
  options: {
    readonly connection?: Partial<FailoverConnectionOptions>;
    readonly producer?: ProducerOptions;
  } = {},
) {
  const vhost: Vhost = await useVhost(place);
  const connection = useConnection({ urls: vhost.urls, ...options.connection });
  return { vhost, connection, ...usePublishingOn(connection, options.producer) };
}

/** A producer on a connection; it ends with the test. */
export function usePublishingOn(connection: FailoverConnection, options?: ProducerOptions) {
  const producer = new Producer(connection, options);
  onTestFinished(() => producer.close());
  return {
    producer,
    publish: (body: unknown, how: PublishOptions) => endingOf(producer.publish(body, how)),
    /** Takes all bodies of a queue, in order. */
    async drain(queue: string): Promise<unknown[]> {
      const channel = await connection.channel();
      const bodies: unknown[] = [];
      for (;;) {
        const message = await channel.get(queue, { noAck: true });
        if (message === false) return bodies;
        bodies.push(JSON.parse(message.content.toString()));
      }
    },
  };
}

/** How many ended how. */
export function counted(endings: readonly Ending[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of endings) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}
