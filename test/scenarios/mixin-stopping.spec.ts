import { describe, expect, it } from 'vitest';
import type { ConsumerCallback, Message } from 'nestjs-failover';
import { ConsumerProducerMixin, Queue } from 'nestjs-failover';
import type { MemoryBroker } from 'nestjs-failover/testing';
import { queue, useWorker, Worker } from './mixin.setting.js';
import { useConnectionTo, useMemoryBrokers, useProducer } from './setting.js';

describe('a mixin that is stopped', () => {
  it('ends at once while it idles, and leaves no connection', async () => {
    const { brokers, worker } = await useWorker(1);
    const [broker] = brokers as [MemoryBroker];
    const running = worker.run({ safetyInterval: 60_000 });
    await broker.until(() => worker.state.status === 'consuming');
    worker.shouldStop = true;
    await running;
    expect(broker.connections).toEqual([]);
    await worker.run();
    expect(worker.hooks).toEqual(['getConsumers']);
  });

  it('ends at once while every broker is down', async () => {
    const { brokers, worker } = await useWorker(2);
    for (const broker of brokers) broker.kill();
    const failed = new Promise<void>((resolve) => {
      worker.onConnectionError = () => resolve();
    });
    const running = worker.run();
    await failed;
    await worker.stop();
    await running;
    expect(worker.hooks).toEqual([]);
  });

  it('ends at once while it waits to start again, for whichever reason', async () => {
    const { brokers, connection, worker } = await useWorker(1);
    const [broker] = brokers as [MemoryBroker];
    const running = worker.run();
    await broker.until(() => worker.state.status === 'consuming');
    await (await connection.defaultChannel()).deleteQueue('queue');
    await (await connection.defaultChannel()).assertQueue('queue', { durable: false });
    // The restart limit first, then an interval after each refusal.
    await broker.until(() => worker.state.status === 'waiting');
    await worker.stop();
    await running;
    expect(worker.state).toMatchObject({ status: 'stopped' });
  });

  it('ends while its broker hangs', async () => {
    const { brokers, worker } = await useWorker(1);
    const [broker] = brokers as [MemoryBroker];
    const running = worker.run();
    await broker.until(() => worker.state.status === 'consuming');
    broker.pause();
    await worker.stop({ timeout: 100 });
    await running;
    expect(worker.state).toMatchObject({ status: 'stopped' });
    await broker.resume();
  });

  it('waits for the callback that runs, whose ack reaches the broker; what was not drained goes back', async () => {
    const { brokers, worker, publish } = await useWorker(1);
    const [broker] = brokers as [MemoryBroker];
    await publish(1, 2, 3);
    let finish: (() => void) | undefined;
    worker.onMessage = async (body, message) => {
      await new Promise<void>((resolve) => (finish = resolve));
      worker.got.push(body);
      message.ack();
    };
    const running = worker.run();
    await broker.until(() => broker.queue('queue').unacked === 3 && finish !== undefined);
    const stopping = worker.stop();
    expect(worker.state).toMatchObject({ status: 'stopping' });
    finish?.();
    await Promise.all([stopping, running]);
    expect(worker.got).toEqual([1]);
    expect(broker.queue('queue')).toMatchObject({ ready: 2, unacked: 0 });
  });

  it('leaves a callback behind that does not return in time; its message goes back to the queue', async () => {
    const { brokers, worker, publish } = await useWorker(1);
    const [broker] = brokers as [MemoryBroker];
    await publish(1);
    let left: Message<number> | undefined;
    worker.onMessage = (_body, message) => {
      left = message;
      return new Promise(() => undefined);
    };
    const running = worker.run();
    await broker.until(() => left !== undefined);
    await worker.stop({ timeout: 50 });
    await running;
    expect(left?.signal.aborted).toBe(true);
    expect(left?.ack()).toBe('lost');
    await broker.until(() => broker.queue('queue').ready === 1);
  });

  it('may stop itself from a callback', async () => {
    const { brokers, worker, publish } = await useWorker(1);
    const [broker] = brokers as [MemoryBroker];
    await publish(1, 2);
    worker.onMessage = (body, message) => {
      worker.got.push(body);
      message.ack();
      worker.shouldStop = true;
    };
    await worker.run();
    expect(worker.got).toEqual([1]);
    await broker.until(() => broker.queue('queue').ready === 1);
  });

  it('ends while a hook runs that does not return', async () => {
    const { worker } = await useWorker(1);
    const entered = new Promise<void>((resolve) => {
      worker.onConsumeReady = () => {
        resolve();
        return new Promise(() => undefined);
      };
    });
    const running = worker.run();
    await entered;
    await worker.stop({ timeout: 20 });
    await running;
    expect(worker.state).toMatchObject({ status: 'stopped' });
  });

  it('ends though what it has to close at its end does not close', async () => {
    class Hung extends Worker {
      protected override onRunEnd(): Promise<void> {
        return new Promise(() => undefined);
      }
    }
    const { brokers, worker } = await useWorker(1, Hung);
    const [broker] = brokers as [MemoryBroker];
    const running = worker.run();
    await broker.until(() => worker.state.status === 'consuming');
    await worker.stop({ timeout: 20 });
    await running;
    expect(worker.state).toMatchObject({ status: 'stopped' });
    expect(broker.connections).toEqual([]);
  });
});

describe('a mixin that publishes as well', () => {
  const results = new Queue<number>('results');

  class Doubler extends ConsumerProducerMixin {
    onMessage: ConsumerCallback<number> = async (body, message) => {
      await this.producer.publish(body * 2, { queue: results, declare: [results] });
      message.ack();
    };

    constructor(readonly connection: Worker['connection']) {
      super();
    }

    getConsumers(consumer: Parameters<Worker['getConsumers']>[0]) {
      return [consumer(queue, { callbacks: [this.onMessage] })];
    }
  }

  it('does so on a connection of its own, fails over with it, and closes both at the end', async () => {
    const brokers = await useMemoryBrokers(2);
    const [first, second] = brokers as [MemoryBroker, MemoryBroker];
    const connection = useConnectionTo(brokers);
    const producer = useProducer(connection.clone());
    const worker = new Doubler(connection);
    const running = worker.run();
    await producer.publish(1, { queue, declare: [queue] });
    await first.until(
      () => first.queue('results').ready === 1 && first.queue('queue').messages === 0,
    );
    expect(worker.producer).toBe(worker.producer);
    expect(first.connections).toHaveLength(3);

    first.kill();
    await producer.publish(2, { queue });
    await second.until(
      () => second.queue('results').ready === 1 && second.queue('queue').messages === 0,
    );

    await worker.stop();
    await running;
    await second.until(() => second.connections.length === 1);
  });
});
