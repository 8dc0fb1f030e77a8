import { describe, expect, it } from 'vitest';
import { Queue, UnroutableError } from 'nestjs-failover';
import type { MemoryBroker } from 'nestjs-failover/testing';
import { useConnectionTo, useMemoryBrokers, useProducer } from './setting.js';

const queue = new Queue<number>('orders');

describe('a publish', () => {
  it('whose confirm was lost with its connection is stored twice, under one id, the second one marked', async () => {
    const [broker] = (await useMemoryBrokers(1)) as [MemoryBroker];
    const connection = useConnectionTo([broker]);
    const producer = useProducer(connection);
    await producer.publish(0, { queue });
    broker.control('basic.ack', () => 'reset', { from: 'broker' });
    const ids: unknown[] = [];
    for (let n = 0; n < 2; n += 1) {
      broker.control('basic.publish', ({ body }) => void ids.push(body?.toString()));
    }

    const receipt = await producer.publish(1, { queue });

    expect(receipt).toMatchObject({ attempts: 2, redeliverySuspect: true });
    expect([ids, broker.queue('orders').ready]).toEqual([['1', '1'], 3]);
    const channel = await connection.channel();
    const seen: unknown[] = [];
    for (
      let message = await channel.get('orders', { noAck: true });
      message !== false;
      message = await channel.get('orders', { noAck: true })
    ) {
      const { messageId, headers } = message.properties;
      seen.push([messageId === receipt.messageId, headers?.['x-republished'] === true]);
    }
    expect(seen).toEqual([
      [false, false],
      [true, false],
      [true, true],
    ]);
  });

  it('that is killed before its broker has it is on the next broker once, after its topology', async () => {
    const [first, second] = (await useMemoryBrokers(2)) as [MemoryBroker, MemoryBroker];
    const producer = useProducer(useConnectionTo([first, second]));
    await producer.publish(0, { queue });
    first.control('basic.publish', () => 'kill');
    const receipt = await producer.publish(1, { queue });
    expect(receipt.broker).toContain(`:${second.port}/`);
    expect([first.queue('orders').ready, second.queue('orders').ready]).toEqual([1, 1]);
  });

  it('that is nacked twice is confirmed on a new channel in the end', async () => {
    const [broker] = (await useMemoryBrokers(1)) as [MemoryBroker];
    const producer = useProducer(useConnectionTo([broker]), { nackBackoffStart: 1 });
    await producer.publish(0, { queue });
    const channels: number[] = [];
    for (const action of ['nack', 'nack', 'pass'] as const) {
      broker.control('basic.publish', ({ channel }) => {
        channels.push(channel);
        return action;
      });
    }
    expect(await producer.publish(1, { queue })).toMatchObject({
      attempts: 3,
      redeliverySuspect: false,
    });
    expect(new Set(channels).size).toBeGreaterThan(1);
    expect(broker.queue('orders').ready).toBe(2);
  });

  it('that is dropped by the broker is sent again on a new channel when no confirm comes at all', async () => {
    const [broker] = (await useMemoryBrokers(1)) as [MemoryBroker];
    const producer = useProducer(useConnectionTo([broker]), { confirmTimeout: 50 });
    await producer.publish(0, { queue });
    broker.control('basic.publish', () => 'drop');
    expect(await producer.publish(1, { queue })).toMatchObject({
      attempts: 2,
      redeliverySuspect: true,
    });
    expect(broker.queue('orders').ready).toBe(2);
  });

  it('that no queue takes is returned, though a thousand around it are confirmed', async () => {
    const [broker] = (await useMemoryBrokers(1)) as [MemoryBroker];
    const producer = useProducer(useConnectionTo([broker]));
    await producer.publish(0, { queue });
    const all = Array.from({ length: 1_001 }, (_, n) =>
      producer.publish(n, n === 500 ? { routingKey: 'nowhere' } : { queue }),
    );
    const endings = await Promise.allSettled(all);
    expect(endings.filter(({ status }) => status === 'rejected')).toEqual([
      { status: 'rejected', reason: expect.any(UnroutableError) },
    ]);
    expect(broker.queue('orders').ready).toBe(1_001);
  });

  it('waits while its broker blocks, and goes elsewhere when that dies while it does', async () => {
    const [first, second] = (await useMemoryBrokers(2)) as [MemoryBroker, MemoryBroker];
    const connection = useConnectionTo([first, second]);
    const producer = useProducer(connection);
    await producer.publish(0, { queue });
    first.block();
    const waiting = [1, 2, 3].map((n) => producer.publish(n, { queue }));
    await first.until(() => connection.blocked !== undefined);
    first.kill();
    const receipts = await Promise.all(waiting);
    expect(receipts.map(({ broker }) => broker.includes(`:${second.port}/`))).toEqual([
      true,
      true,
      true,
    ]);
    expect(second.queue('orders').ready).toBe(3);
  });

  it('whose headers fit into no frame that this broker takes is refused before it is sent, and others are not', async () => {
    const { MemoryBroker: Broker } = await import('nestjs-failover/testing');
    await using broker = await Broker.start({ frameMax: 4_096 });
    const producer = useProducer(useConnectionTo([broker]));
    const large = producer.publish(1, { queue, headers: { h: 'x'.repeat(5_000) } });
    await expect(large).rejects.toMatchObject({ outcome: 'not-sent' });
    await expect(producer.publish(2, { queue })).resolves.toMatchObject({ attempts: 1 });
  });

  it('keeps its order over brokers that die in turn', async () => {
    const [first, second] = (await useMemoryBrokers(2)) as [MemoryBroker, MemoryBroker];
    const producer = useProducer(useConnectionTo([first, second]));
    await producer.publish(-1, { queue });
    const all: Promise<unknown>[] = [];
    for (let n = 0; n < 400; n += 1) {
      all.push(producer.publish(n, { queue }));
      if (n === 100) first.kill();
      if (n % 20 === 0) await new Promise(setImmediate);
    }
    await Promise.all(all);
    await first.restart();
    second.kill();
    expect((await producer.publish(400, { queue })).broker).toContain(`:${first.port}/`);
  });
});
