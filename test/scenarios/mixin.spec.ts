import { describe, expect, it } from 'vitest';
import type { Channel, ConsumerFactory, FailoverConnection } from 'nestjs-failover';
import {
  isAmqpError,
  isConfigurationError,
  isOperationalError,
  isSerializationError,
  isTopologyError,
} from 'nestjs-failover';
import type { MemoryBroker } from 'nestjs-failover/testing';
import { queue, useWorker, Worker } from './mixin.setting.js';

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

describe('a mixin that runs', () => {
  it('makes its consumers anew on the next broker when the first one dies, and loses nothing', async () => {
    const { brokers, worker, publish } = await useWorker(2);
    const [first, second] = brokers as [MemoryBroker, MemoryBroker];
    const running = worker.run();
    await publish(1, 2);
    await first.until(() => worker.got.length === 2 && first.queue('queue').messages === 0);
    expect(worker.state).toMatchObject({ status: 'consuming' });

    first.kill();
    await second.until(() => second.queue('queue').consumers === 1);
    await publish(3);

    await second.until(() => worker.got.length === 3 && second.queue('queue').messages === 0);
    await worker.stop();
    await running;
    expect(worker.got).toEqual([1, 2, 3]);
    expect(worker.hooks).toEqual(['getConsumers', 'getConsumers']);
    expect(worker.state).toMatchObject({ status: 'stopped' });
  });

  it('gets a message again whose broker died before its ack, after its first run has ended', async () => {
    const { brokers, worker, publish } = await useWorker(1);
    const [broker] = brokers as [MemoryBroker];
    await publish(1);
    const runs: string[] = [];
    let settle: (() => void) | undefined;
    worker.onMessage = async (body, message) => {
      runs.push(`begins ${body}${message.redelivered ? ' again' : ''}`);
      if (!message.redelivered) {
        await new Promise<void>((resolve) => (settle = resolve));
        await aborted(message.signal);
      }
      runs.push(`ends: ${message.ack()}`);
    };
    void worker.run();
    await broker.until(() => settle !== undefined);

    broker.closeConnections();
    await broker.until(() => broker.queue('queue').ready === 1);
    expect(runs).toEqual(['begins 1']);
    settle?.();

    await broker.until(() => runs.length === 4);
    expect(runs).toEqual(['begins 1', 'ends: lost', 'begins 1 again', 'ends: sent']);
    await broker.until(() => broker.queue('queue').messages === 0);
  });

  it('declares and consumes again when its queue was deleted', async () => {
    const { brokers, connection, worker, publish } = await useWorker(1);
    const [broker] = brokers as [MemoryBroker];
    void worker.run();
    await broker.until(() => worker.state.status === 'consuming');
    await (await connection.defaultChannel()).deleteQueue('queue');
    await broker.until(() => broker.queue('queue').consumers === 1);
    await publish(1);
    await broker.until(() => worker.got.length === 1);
    expect(worker.hooks).toEqual(['getConsumers', 'getConsumers']);
  });

  it('calls the hooks in their order, also over a loss', async () => {
    class Hooked extends Worker {
      override onConnectionError(error: Error) {
        if (isAmqpError(error)) this.hooks.push('lost');
      }
      override onConnectionRevived() {
        this.hooks.push('revived');
      }
      override extraContext(_connection: FailoverConnection, _channel: Channel) {
        this.hooks.push('context');
        return { [Symbol.dispose]: () => this.hooks.push('left') };
      }
      override onConsumeReady(
        _connection: FailoverConnection,
        channel: Channel,
        consumers: readonly unknown[],
      ) {
        this.hooks.push(`ready ${consumers.length} ${channel.loss === undefined}`);
        throw new Error('of no consequence');
      }
      override onConsumeEnd(_connection: FailoverConnection, _channel: Channel, error?: Error) {
        this.hooks.push(`end ${isAmqpError(error)}`);
      }
    }
    const { brokers, worker } = await useWorker(1, Hooked);
    const [broker] = brokers as [MemoryBroker];
    void worker.run();
    await broker.until(() => worker.hooks.length === 4);
    broker.closeConnections();
    await broker.until(() => worker.hooks.filter((hook) => hook.startsWith('ready')).length === 2);
    await worker.stop();
    const begun = ['revived', 'getConsumers', 'context', 'ready 1 true'];
    expect(worker.hooks).toEqual([
      ...begun,
      'lost',
      'left',
      'end true',
      ...begun,
      'left',
      'end false',
    ]);
  });

  it('goes on when a message cannot be read: the hook is told, and it goes back to its queue', async () => {
    const told: Error[] = [];
    class Decoding extends Worker {
      override onDecodeError(_message: unknown, error: Error) {
        told.push(error);
      }
    }
    const { brokers, worker, publish } = await useWorker(1, Decoding);
    const [broker] = brokers as [MemoryBroker];
    worker.options = { accept: ['text'], prefetchCount: 5 };
    await publish(1, 2);
    void worker.run();
    await broker.until(() => told.length === 2);
    expect(told.every(isSerializationError)).toBe(true);
    expect(broker.queue('queue')).toMatchObject({ messages: 2, unacked: 2 });
    await worker.stop();
    expect(broker.queue('queue')).toMatchObject({ ready: 2, unacked: 0 });
  });

  it('ends with what a callback throws, whose message goes back to the queue', async () => {
    const { brokers, worker, publish } = await useWorker(1);
    const [broker] = brokers as [MemoryBroker];
    await publish(1);
    worker.onMessage = () => {
      throw new Error('no such customer');
    };
    await expect(worker.run()).rejects.toThrow('no such customer');
    expect(worker.state).toMatchObject({ status: 'failed' });
    await broker.until(() => broker.queue('queue').ready === 1);
    worker.onMessage = (body, message) => {
      worker.got.push(body);
      message.ack();
    };
    await worker.run({ limit: 1 });
    expect(worker.got).toEqual([1]);
  });

  it('gives up when its queue exists with other arguments', async () => {
    const { connection, worker } = await useWorker(1);
    await (await connection.defaultChannel()).assertQueue('queue', { durable: false });
    await expect(worker.run()).rejects.toSatisfy(isTopologyError);
  });

  it('gives up connecting after connectMaxRetries rounds', async () => {
    class Impatient extends Worker {
      override readonly connectMaxRetries = 1;
    }
    const { brokers, worker } = await useWorker(2, Impatient);
    for (const broker of brokers) broker.kill();
    await expect(worker.run()).rejects.toSatisfy(isOperationalError);
  });

  it('ends after so many messages, over losses too, or when none has come for so long', async () => {
    const { brokers, worker, publish } = await useWorker(1);
    const [broker] = brokers as [MemoryBroker];
    await publish(1, 2, 3, 4);
    worker.onMessage = (body, message) => {
      worker.got.push(body);
      message.ack();
      if (worker.got.length === 2) broker.closeConnections();
    };
    await worker.run({ limit: 3 });
    expect(worker.got).toHaveLength(3);
    await worker.run({ timeout: 50, safetyInterval: 10 });
    await broker.until(() => broker.queue('queue').messages === 0);
  });

  it('is drained by hand, message by message, each turn on a connection of its own', async () => {
    const { brokers, worker, publish } = await useWorker(1);
    const [broker] = brokers as [MemoryBroker];
    await publish(1, 2, 3);
    const counts: number[] = [];
    for await (const handled of worker.consume({ limit: 2 })) counts.push(handled);
    expect([counts, worker.got]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    for await (const handled of worker.consume()) if (handled === 1) break;
    expect(worker.got).toEqual([1, 2, 3]);
    expect(broker.queue('queue')).toMatchObject({ messages: 0, consumers: 0 });
  });
});

describe('misuse of a mixin', () => {
  const expectRefused = (run: () => Promise<unknown>, text: string) =>
    expect(run()).rejects.toSatisfy(
      (error) => isConfigurationError(error) && error.message.includes(text),
    );

  it('is told: run twice, no consumer, a consumer of another connection, no connection, bad options', async () => {
    const { worker, connection } = await useWorker(1);
    const running = worker.run();
    await expectRefused(() => worker.run(), 'consumes already');
    await expectRefused(() => worker.consume().next(), 'consumes already');
    await worker.stop();
    await running;
    worker.shouldStop = false;
    worker.getConsumers = () => [];
    await expectRefused(() => worker.run(), 'at least one consumer');
    worker.getConsumers = () => [connection.consumer(queue)];
    await expectRefused(() => worker.run(), 'made by the function that it is given');
    await expectRefused(() => worker.run({ limit: 0 }), 'limit');
    await expectRefused(() => worker.stop({ timeout: -1 }), 'timeout');
    class Homeless extends Worker {
      constructor() {
        super(undefined as unknown as FailoverConnection);
      }
      override getConsumers(consumer: ConsumerFactory) {
        return [consumer(queue)];
      }
    }
    await expectRefused(() => new Homeless().run(), 'Homeless.connection');
    expect(worker.state).toMatchObject({ status: 'failed' });
  });
});
