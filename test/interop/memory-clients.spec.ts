import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { AMQPClient } from '@cloudamqp/amqp-client';
import { Connection } from 'rabbitmq-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryBroker } from 'nestjs-failover/testing';
import { PYTHON, ensureKombu } from '../kit/ensure-kombu.js';

const run = promisify(execFile);

const COUNT = 50;
const numbers = Array.from({ length: COUNT }, (_, n) => n);

async function useBroker(): Promise<MemoryBroker> {
  const broker = await MemoryBroker.start();
  onTestFinished(() => broker.close());
  return broker;
}

describe('a memory broker serves', () => {
  it('rabbitmq-client: publish, confirm, consume, ack; and again after it was killed', async () => {
    const broker = await useBroker();
    const connection = new Connection({ url: broker.url(), retryLow: 20, retryHigh: 50 });
    connection.on('error', () => undefined);
    onTestFinished(async () => {
      await Promise.all([consumer.close(), publisher.close()]);
      await connection.close();
    });
    const publisher = connection.createPublisher({
      confirm: true,
      maxAttempts: 5,
      queues: [{ queue: 'orders', durable: true, arguments: { 'x-queue-type': 'quorum' } }],
    });
    for (const n of numbers) await publisher.send('orders', { n });
    expect(broker.queue('orders')).toMatchObject({ ready: COUNT, type: 'quorum' });
    const got: number[] = [];
    const consumer = connection.createConsumer(
      { queue: 'orders', queueOptions: { passive: true }, qos: { prefetchCount: 7 } },
      (message) => {
        got.push((message.body as { n: number }).n);
      },
    );
    consumer.on('error', () => undefined);
    await broker.until(() => got.length === COUNT && broker.queue('orders').messages === 0);
    expect(got).toEqual(numbers);

    broker.kill();
    await broker.restart();
    await broker.until(() => broker.queue('orders').consumers === 1);
    await publisher.send('orders', { n: COUNT });
    await broker.until(() => got.length === COUNT + 1);
  });

  it('@cloudamqp/amqp-client: publish, confirm, consume, ack', async () => {
    const broker = await useBroker();
    const client = new AMQPClient(broker.url());
    const connection = await client.connect();
    onTestFinished(() => connection.close().catch(() => undefined));
    const channel = await connection.channel();
    await channel.confirmSelect();
    await channel.queueDeclare('orders');
    for (const n of numbers)
      await channel.basicPublish('', 'orders', String(n), { deliveryMode: 2 });
    expect(broker.queue('orders').ready).toBe(COUNT);
    const got: number[] = [];
    await channel.prefetch(7);
    await channel.basicConsume('orders', { noAck: false }, async (message) => {
      got.push(Number(message.bodyString()));
      await message.ack();
    });
    await broker.until(() => got.length === COUNT && broker.queue('orders').messages === 0);
    expect(got).toEqual(numbers);
  });

  it('kombu: publish, confirm, consume, ack', { timeout: 180_000 }, async () => {
    await ensureKombu(console.log);
    const broker = await useBroker();
    const script = new URL('kombu-client.py', import.meta.url).pathname;
    const { stdout } = await run(PYTHON, [script, broker.url(), String(COUNT)], {
      timeout: 30_000,
    });
    expect(JSON.parse(stdout)).toMatchObject({ got: numbers, left: 0 });
    expect(broker.queue('kombu.orders')).toMatchObject({ messages: 0, type: 'quorum' });
  });
});
