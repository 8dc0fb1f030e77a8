import { describe, expect, it } from 'vitest';
import type { SettleResult } from 'nestjs-failover';
import { Queue } from 'nestjs-failover';
import type { MemoryBroker } from 'nestjs-failover/testing';
import { useConnectionTo, useConsumer, useMemoryBrokers, useProducer } from './setting.js';

const queue = new Queue<number>('orders');

describe('a consumer', () => {
  it('is cut off between its consume and the answer, and is registered once in the end', async () => {
    const [broker] = (await useMemoryBrokers(1)) as [MemoryBroker];
    const consumer = useConsumer(useConnectionTo([broker]), {
      queues: [queue],
      handle: () => undefined,
    });
    broker.control('basic.consume-ok', () => 'reset');
    await consumer.start();
    expect(consumer.state.status).toBe('consuming');
    expect(broker.queue('orders').consumers).toBe(1);
  });

  it('that is cancelled while its queue lives consumes again on the same connection', async () => {
    const [broker] = (await useMemoryBrokers(1)) as [MemoryBroker];
    const connection = useConnectionTo([broker]);
    const consumer = useConsumer(connection, { queues: [queue], handle: () => undefined });
    await consumer.start();
    const [before] = broker.connections;
    const again = broker.control('basic.consume-ok', () => 'pass');
    expect(broker.cancelConsumers('orders')).toBe(1);
    await again.happened;
    await broker.until(() => consumer.state.status === 'consuming');
    expect([broker.queue('orders').consumers, broker.connections[0]?.name]).toEqual([
      1,
      before?.name,
    ]);
    expect(broker.connections).toHaveLength(1);
  });

  it('acks nothing that its dead broker had delivered, and handles it again when the first run is over', async () => {
    const { MemoryBroker: Broker } = await import('nestjs-failover/testing');
    await using cluster = await Broker.cluster(2);
    const [first, second] = cluster.nodes as [MemoryBroker, MemoryBroker];
    const quorum = new Queue<number>('orders', { type: 'quorum', deliveryLimit: 20 });
    const connection = useConnectionTo(cluster.nodes);
    const told: string[] = [];
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let late: SettleResult | undefined;
    const consumer = useConsumer(connection, {
      queues: [quorum],
      handle: async (_body, message) => {
        told.push(`begun${message.redelivered ? ' again' : ''}`);
        if (message.redelivered) return;
        await finished;
        late = message.ack();
        told.push('finished');
      },
    });
    await consumer.start();
    const producer = useProducer(connection.clone());
    await producer.publish(1, { queue: quorum });
    await cluster.until(() => told.length === 1);
    first.kill();
    await cluster.until(
      () => second.queue('orders').consumers === 1 && consumer.state.status === 'consuming',
    );
    await cluster.until(() => second.queue('orders').unacked === 1);
    expect(told).toEqual(['begun']);
    finish();
    await cluster.until(() => second.queue('orders').messages === 0 && told.length === 3);
    expect([told, late]).toEqual([['begun', 'finished', 'begun again'], 'lost']);
  });

  it('has its acks on the broker when it is stopped', async () => {
    const [broker] = (await useMemoryBrokers(1)) as [MemoryBroker];
    const connection = useConnectionTo([broker]);
    const seen: number[] = [];
    const consumer = useConsumer(connection, {
      queues: [queue],
      handle: async (body) => {
        await new Promise(setImmediate);
        seen.push(body);
      },
    });
    await consumer.start();
    const producer = useProducer(connection.clone());
    const all = Array.from({ length: 500 }, (_, n) => producer.publish(n, { queue }));
    await broker.until(() => seen.length > 100);
    await consumer.stop();
    const { length } = seen;
    await Promise.all(all);
    await broker.until(() => broker.queue('orders').unacked === 0);
    expect(broker.queue('orders').ready).toBe(500 - length);
    expect(new Set(seen).size).toBe(length);
  });
});
