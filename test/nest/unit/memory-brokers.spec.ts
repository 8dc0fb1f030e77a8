import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryBroker, useMemoryBrokers } from 'nestjs-failover/testing';
import { Queue } from '../../../lib/amqp/queue.js';
import { Consumer } from '../../../lib/decorators/consumer.decorator.js';
import { OnMessage } from '../../../lib/decorators/on-message.decorator.js';
import { FailoverModule } from '../../../lib/failover.module.js';
import { getProducerToken } from '../../../lib/failover.tokens.js';
import type { Producer } from '../../../lib/failover/producer.js';
import { closeLater } from '../fakes/apps.js';

const created = new Queue<number>('orders.created', { type: 'quorum', deliveryLimit: 20 });

/** Nobody is there: what is not overridden fails at once. */
const PRODUCTION = 'amqp://127.0.0.1:1';

const seen: number[] = [];

@Consumer({ queues: [created] })
class OrderConsumer {
  @OnMessage({ queue: created })
  onOrder(order: number): void {
    seen.push(order);
  }
}

const options = { urls: PRODUCTION, logger: false, startup: 'fail-fast' } as const;

@Module({ imports: [FailoverModule.forRoot(options)], providers: [OrderConsumer] })
class AppModule {}

const useCluster = async (nodes: number) => {
  const cluster = await MemoryBroker.cluster(nodes);
  onTestFinished(() => cluster.close());
  return cluster;
};

describe('a module under test on memory brokers', () => {
  it('publishes and consumes there, also on the next node when one dies, and closes them with itself', async () => {
    seen.length = 0;
    const cluster = await useCluster(3);
    const [first, second] = cluster.nodes as [MemoryBroker, MemoryBroker];
    const builder = Test.createTestingModule({ imports: [AppModule] });
    const app = await useMemoryBrokers(builder, cluster).compile();
    closeLater(app);
    await app.init();
    const producer = app.get<Producer>(getProducerToken());
    await producer.publish(1, { queue: created });
    await cluster.until(() => seen.length === 1 && first.queue('orders.created').messages === 0);

    first.kill();

    expect((await producer.publish(2, { queue: created })).broker).toContain(`:${second.port}/`);
    await cluster.until(() => seen.includes(2) && second.queue('orders.created').messages === 0);
    const forced: string[] = [];
    second.control(
      'connection.close',
      ({ fields }) => void forced.push(`by the client, ${fields.replyCode}`),
    );
    await app.close();
    // The app had said goodbye before its brokers were gone.
    expect(forced).toEqual(['by the client, 200']);
    expect(cluster.nodes.map(({ state }) => state)).toEqual(['down', 'down', 'down']);
  });

  it('has brokers for each of its connections, and for options that a factory makes', async () => {
    const [billing, other] = [await MemoryBroker.start(), await MemoryBroker.start()];
    const builder = Test.createTestingModule({
      imports: [
        FailoverModule.forRoot(options),
        FailoverModule.forRootAsync({ name: 'billing', useFactory: async () => options }),
      ],
    });
    const app = await useMemoryBrokers(builder, { default: [other], billing }).compile();
    closeLater(app);
    await app.init();
    const receipts = await Promise.all(
      [undefined, 'billing'].map((name) =>
        app.get<Producer>(getProducerToken(name)).publish(1, { queue: created }),
      ),
    );
    expect(receipts.map(({ broker }) => new URL(broker).port)).toEqual([
      String(other.port),
      String(billing.port),
    ]);
    await app.close();
    expect([billing.state, other.state]).toEqual(['down', 'down']);
  });

  it('keeps the URLs of a connection for which there are no brokers', async () => {
    const billing = await MemoryBroker.start();
    onTestFinished(() => billing.close());
    const builder = Test.createTestingModule({
      imports: [
        FailoverModule.forRoot(options),
        FailoverModule.forRoot({ ...options, name: 'billing' }),
      ],
    });
    const app = await useMemoryBrokers(builder, { billing }).compile();
    closeLater(app);
    await expect(app.init()).rejects.toThrow('127.0.0.1:1');
  });

  it('says which connections there are when brokers are meant for another', async () => {
    const broker = await MemoryBroker.start();
    onTestFinished(() => broker.close());
    const builder = Test.createTestingModule({
      imports: [
        FailoverModule.forRoot(options),
        FailoverModule.forRoot({ ...options, name: 'billing' }),
      ],
    });
    const app = await useMemoryBrokers(builder, { default: broker, biling: broker }).compile();
    closeLater(app);
    await expect(app.init()).rejects.toThrow(
      'useMemoryBrokers: there is no connection "biling". Known: default, billing.',
    );
  });
});
