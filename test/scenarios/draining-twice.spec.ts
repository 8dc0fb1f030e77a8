import { describe, expect, it } from 'vitest';
import { Queue, isTimeoutError } from 'nestjs-failover';
import type { MemoryBroker } from 'nestjs-failover/testing';
import { useConnectionTo, useMemoryBrokers, useProducer } from './setting.js';

const queue = new Queue<number>('queue');

async function useBroker() {
  const [broker] = (await useMemoryBrokers(1)) as [MemoryBroker];
  const connection = useConnectionTo([broker]);
  return { broker, connection };
}

describe('a consumer that is asked for several things at once', () => {
  it('is registered once when it is to consume twice', async () => {
    const { broker, connection } = await useBroker();
    const consumer = connection.consumer(queue);
    await Promise.all([consumer.consume(), consumer.consume()]);
    expect(broker.queue('queue').consumers).toBe(1);
    consumer.addQueue(new Queue('other'));
    await Promise.all([consumer.consume(), consumer.consume()]);
    expect(broker.consumers).toHaveLength(2);
    await consumer.cancel();
    expect(broker.consumers).toHaveLength(0);
  });

  it('is registered once when two that ensure revive it after a loss', async () => {
    const { broker, connection } = await useBroker();
    const consumer = connection.consumer(queue);
    await consumer.consume();
    broker.closeConnections();
    await broker.until(() => consumer.ended !== undefined);
    await connection.ensureConnection();
    await Promise.all([connection.revive(), connection.revive()]);
    expect(broker.queue('queue').consumers).toBe(1);
  });

  it('does not consume after a cancel that came while it began to', async () => {
    const { broker, connection } = await useBroker();
    await connection.ensureConnection();
    const consumer = connection.consumer(queue);
    const begun = consumer.consume().catch(() => undefined);
    await consumer.cancel();
    await begun;
    await useProducer(connection.clone()).publish(1, { queue, declare: [queue] });
    expect([consumer.channel, broker.consumers]).toEqual([undefined, []]);
    expect(broker.queue('queue').ready).toBe(1);
    await expect(connection.drainEvents({ timeout: 10 })).rejects.toSatisfy(isTimeoutError);
    await consumer.consume();
    expect(broker.queue('queue').consumers).toBe(1);
  });
});

describe('a consumer of two queues, one of which is deleted', () => {
  it('takes nothing from the other one until it is revived', async () => {
    const { broker, connection } = await useBroker();
    const other = new Queue<number>('other');
    const got: number[] = [];
    const consumer = connection.consumer([queue, other], { noAck: true });
    consumer.registerCallback((body) => got.push(body));
    await consumer.consume();
    const channel = await connection.defaultChannel();
    await channel.deleteQueue('queue');
    await broker.until(() => consumer.ended !== undefined);
    await broker.until(() => broker.consumers.length === 0);
    await useProducer(connection.clone()).publish(1, { queue: other });
    expect(broker.queue('other').ready).toBe(1);
    await connection.revive();
    await connection.drainEvents();
    expect(got).toEqual([1]);
  });
});
