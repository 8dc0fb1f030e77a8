import { onTestFinished } from 'vitest';
import type {
  ChannelConsumerOptions,
  ConsumerCallback,
  ConsumerFactory,
  FailoverConnection,
} from 'nestjs-failover';
import { ConsumerMixin, Queue } from 'nestjs-failover';
import type { MemoryBroker } from 'nestjs-failover/testing';
import { useConnectionTo, useMemoryBrokers, useProducer } from './setting.js';

export const queue = new Queue<number>('queue');

/** Keeps what it got, and the hooks that were called. */
export class Worker extends ConsumerMixin {
  readonly got: number[] = [];
  readonly hooks: string[] = [];
  options: ChannelConsumerOptions<number> = {};
  onMessage: ConsumerCallback<number> = (body, message) => {
    this.got.push(body);
    message.ack();
  };

  constructor(readonly connection: FailoverConnection) {
    super();
  }

  getConsumers(consumer: ConsumerFactory) {
    this.hooks.push('getConsumers');
    return [
      consumer(queue, {
        ...this.options,
        callbacks: [(body, message) => this.onMessage(body, message)],
      }),
    ];
  }
}

/** Brokers, a worker that does not run yet, and how to publish to it. */
export async function useWorker<W extends Worker = Worker>(
  count: number,
  type: new (connection: FailoverConnection) => W = Worker as new (
    connection: FailoverConnection,
  ) => W,
): Promise<{
  brokers: MemoryBroker[];
  connection: FailoverConnection;
  worker: W;
  publish: (...bodies: number[]) => Promise<unknown>;
}> {
  const brokers = await useMemoryBrokers(count);
  const connection = useConnectionTo(brokers);
  const producer = useProducer(connection.clone());
  const worker = new type(connection);
  onTestFinished(() => worker.stop({ timeout: 1_000 }));
  const publish = (...bodies: number[]) =>
    Promise.all(bodies.map((body) => producer.publish(body, { queue, declare: [queue] })));
  return { brokers, connection, worker, publish };
}
