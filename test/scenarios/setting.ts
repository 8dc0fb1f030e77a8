import { onTestFinished } from 'vitest';
import type {
  ConsumerDefinition,
  FailoverConnectionOptions,
  ProducerOptions,
} from 'nestjs-failover';
import { ConsumerLoop, FailoverConnection, Producer } from 'nestjs-failover';
import { MemoryBroker } from 'nestjs-failover/testing';

/** Independent brokers that end with the test. */
export async function useMemoryBrokers(count: number): Promise<MemoryBroker[]> {
  const brokers: MemoryBroker[] = [];
  onTestFinished(async () => {
    await Promise.all(brokers.map((broker) => broker.close()));
  });
  for (let n = 0; n < count; n += 1) brokers.push(await MemoryBroker.start());
  return brokers;
}

/** A connection to them in their order, with short waits. */
export function useConnectionTo(
  brokers: readonly MemoryBroker[],
  options: Partial<FailoverConnectionOptions> = {},
): FailoverConnection {
  const connection = new FailoverConnection({
    urls: brokers.map((broker) => broker.url()),
    logger: false,
    intervalStart: 10,
    intervalStep: 10,
    ...options,
  });
  onTestFinished(() => connection.close());
  return connection;
}

export function useProducer(connection: FailoverConnection, options?: ProducerOptions): Producer {
  const producer = new Producer(connection, options);
  onTestFinished(() => producer.close({ timeout: 200 }));
  return producer;
}

export function useConsumer<T>(
  connection: FailoverConnection,
  definition: Omit<ConsumerDefinition<T>, 'name'>,
): ConsumerLoop<T> {
  const loop = new ConsumerLoop<T>(connection, { name: 'Orders', ...definition });
  onTestFinished(() => loop.stop({ timeout: 1_000 }));
  return loop;
}
