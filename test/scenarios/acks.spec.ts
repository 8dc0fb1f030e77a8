import { expect, it } from 'vitest';
import { Queue } from 'nestjs-failover';
import type { MemoryBroker } from 'nestjs-failover/testing';
import { useConnectionTo, useMemoryBrokers, useProducer } from './setting.js';

const queue = new Queue<number>('queue');

/** A broker with messages in its queue, and what it is told about them. */
async function withMessages(count: number) {
  const brokers = await useMemoryBrokers(1);
  const [broker] = brokers as [MemoryBroker];
  const connection = useConnectionTo(brokers);
  const producer = useProducer(connection.clone());
  await connection.declare(queue);
  await Promise.all(Array.from({ length: count }, (_, n) => producer.publish(n, { queue })));
  const acks: string[] = [];
  const listen = (): void => {
    broker.control('basic.ack', ({ fields }) => {
      acks.push(`${fields.deliveryTag}${fields.multiple ? ' and below' : ''}`);
      listen();
    });
  };
  listen();
  return { broker, connection, acks, channel: await connection.channel() };
}

it('what is acked in one turn leaves in one frame', async () => {
  const { broker, channel, acks } = await withMessages(20);
  const messages: Parameters<typeof channel.ack>[0][] = [];
  await channel.consume('queue', (message) => {
    if (message === null) return;
    messages.push(message);
    if (messages.length === 20) for (const one of messages) channel.ack(one);
  });
  await broker.until(() => broker.queue('queue').messages === 0);
  expect(acks).toEqual(['20 and below']);
});

it('leaves what is not acked, got or delivered, where it is', async () => {
  const { broker, channel, acks } = await withMessages(4);
  const got = await channel.get('queue');
  expect(got).toMatchObject({ fields: { deliveryTag: 1 } });
  await channel.consume('queue', (message) => {
    if (message !== null && message.fields.deliveryTag !== 3) channel.ack(message);
  });
  await broker.until(() => broker.queue('queue').messages === 2);
  expect(acks.every((ack) => !ack.includes('below'))).toBe(true);
  expect(broker.queue('queue').unacked).toBe(2);
  await channel.close();
  await broker.until(() => broker.queue('queue').ready === 2);
});

it('is on the broker when the channel was closed right after', async () => {
  const { broker, channel } = await withMessages(3);
  await new Promise<void>((resolve, reject) => {
    void channel.consume('queue', (message) => {
      if (message === null) return;
      channel.ack(message);
      if (message.fields.deliveryTag === 3) channel.close().then(resolve, reject);
    });
  });
  await broker.until(() => broker.queue('queue').messages === 0);
  expect(broker.queue('queue')).toMatchObject({ ready: 0, unacked: 0 });
});

it('is sent before a recover, which has all else delivered again', async () => {
  const { broker, channel } = await withMessages(2);
  const seen: string[] = [];
  await channel.consume('queue', (message) => {
    if (message === null) return;
    seen.push(`${message.content.toString()}${message.fields.redelivered ? ' again' : ''}`);
    if (seen.length === 2 || message.fields.redelivered) {
      channel.ack(message);
      if (!message.fields.redelivered) void channel.recover();
    }
  });
  await broker.until(() => broker.queue('queue').messages === 0);
  expect(seen).toEqual(['0', '1', '0 again']);
});
