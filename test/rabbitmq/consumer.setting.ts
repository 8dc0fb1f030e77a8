import { expect, onTestFinished } from 'vitest';
import type { ConsumerDefinition, FailoverConnection, Queue } from 'nestjs-failover';
import { ConsumerLoop, Producer } from 'nestjs-failover';
import { useConnection } from '../kit/fronts.js';
import type { RabbitNode } from '../kit/rabbitmq/index.js';

/** A consumer that is stopped with the test, and whose promises must all have been observed. */
export function useConsumer(
  connection: FailoverConnection,
  definition: Partial<ConsumerDefinition> & Pick<ConsumerDefinition, 'queues' | 'handle'>,
): ConsumerLoop {
  const loop = new ConsumerLoop(connection, { name: 'Orders', ...definition });
  onTestFinished(() => loop.stop({ timeout: 2_000 }));
  return loop;
}

/** Publishes to a queue, past any proxy. Resolves when the broker has confirmed. */
export function usePublisher(urls: readonly string[], queue: Queue) {
  const producer = new Producer(useConnection({ urls }));
  onTestFinished(() => producer.close());
  return (...bodies: readonly unknown[]) =>
    Promise.all(bodies.map((body) => producer.publish(body, { routingKey: queue.name })));
}

/** By the broker's own count. */
export async function expectOneConsumer(
  node: RabbitNode,
  queue: Queue,
  vhost: string,
): Promise<void> {
  await expect.poll(() => node.consumerCount(queue.name, vhost), { timeout: 10_000 }).toBe(1);
}
