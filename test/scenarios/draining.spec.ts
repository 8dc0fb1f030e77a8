import { getEventListeners } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ChannelConsumerOptions, FailoverConnection } from 'nestjs-failover';
import {
  ConnectionClosedError,
  Queue,
  SerializationError,
  isAmqpError,
  isTimeoutError,
} from 'nestjs-failover';
import type { MemoryBroker } from 'nestjs-failover/testing';
import { useConnectionTo, useMemoryBrokers, useProducer } from './setting.js';

const queue = new Queue<number>('queue');

async function consuming(
  count: number,
  options: ChannelConsumerOptions<number> = {},
): Promise<{
  brokers: MemoryBroker[];
  connection: FailoverConnection;
  got: number[];
  publish: (...bodies: number[]) => Promise<unknown>;
}> {
  const brokers = await useMemoryBrokers(count);
  const connection = useConnectionTo(brokers);
  const got: number[] = [];
  const consumer = connection.consumer(queue, options);
  consumer.registerCallback((body, message) => {
    got.push(body);
    if (options.noAck !== true) message.ack();
  });
  await consumer.consume();
  const producer = useProducer(connection.clone());
  const publish = (...bodies: number[]) =>
    Promise.all(bodies.map((body) => producer.publish(body, { queue })));
  return { brokers, connection, got, publish };
}

/** The loop of kombu's guide: for ever, with a timeout so that nobody waits for a broker that has fallen silent. */
function drained(connection: FailoverConnection): void {
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const consume = connection.ensure(
    connection,
    async () => {
      for (;;) {
        try {
          await connection.drainEvents({ timeout: 20, signal: over.signal });
        } catch (error) {
          if (!isTimeoutError(error)) throw error;
        }
      }
    },
    { signal: over.signal },
  );
  consume().catch(() => undefined);
}

describe('a consumer that is drained', () => {
  it("survives its broker inside ensure, as in kombu's guide: it is registered on the next one, once", async () => {
    const { brokers, connection, got, publish } = await consuming(2);
    const [first, second] = brokers as [MemoryBroker, MemoryBroker];
    drained(connection);
    await publish(1, 2);
    await first.until(() => got.length === 2 && first.queue('queue').messages === 0);
    first.kill();
    await second.until(() => second.queue('queue').consumers === 1);
    await publish(3);
    await second.until(() => got.includes(3) && second.queue('queue').messages === 0);
    expect(second.queue('queue').consumers).toBe(1);
  });

  it('survives the deletion of its queue, on the same connection', async () => {
    const { brokers, connection, got, publish } = await consuming(1);
    const [broker] = brokers as [MemoryBroker];
    drained(connection);
    const [before] = broker.connections;
    await (await connection.defaultChannel()).deleteQueue('queue');
    await broker.until(() => broker.queue('queue').consumers === 1);
    await publish(1);
    await broker.until(() => got.length === 1 && broker.queue('queue').messages === 0);
    expect(broker.connections[0]?.name).toBe(before?.name);
  });

  it('gets one delivery a drain, in order, and a TimeoutError when none comes', async () => {
    const { connection, got, publish } = await consuming(1);
    await publish(1, 2, 3);
    for (let n = 1; n <= 3; n += 1) {
      await connection.drainEvents();
      expect(got).toHaveLength(n);
    }
    expect(got).toEqual([1, 2, 3]);
    await expect(connection.drainEvents({ timeout: 10 })).rejects.toSatisfy(isTimeoutError);
  });

  it('says that it has ended until it is revived, however often it is asked', async () => {
    const { brokers, connection, got, publish } = await consuming(1);
    const [broker] = brokers as [MemoryBroker];
    const draining = connection.drainEvents();
    broker.kill();
    await expect(draining).rejects.toSatisfy(isAmqpError);
    expect(() => connection.heartbeatCheck()).toThrow('lost');
    await broker.restart();
    await connection.ensureConnection();
    await expect(connection.drainEvents({ timeout: 50 })).rejects.toSatisfy(isAmqpError);
    await connection.revive();
    await publish(1);
    await connection.drainEvents();
    expect(got).toEqual([1]);
    expect(() => connection.heartbeatCheck()).not.toThrow();
  });

  it('forgets what came on a channel that has ended: it comes again', async () => {
    const { brokers, connection, got, publish } = await consuming(1);
    const [broker] = brokers as [MemoryBroker];
    await publish(1, 2, 3);
    await broker.until(() => broker.queue('queue').unacked === 3);
    await connection.drainEvents();
    await broker.until(() => broker.queue('queue').unacked === 2);
    const lost = new Promise((resolve) => connection.on('lost', resolve));
    broker.closeConnections();
    await lost;
    await expect(connection.drainEvents({ timeout: 5_000 })).rejects.toSatisfy(isAmqpError);
    await connection.ensureConnection();
    await connection.revive();
    await connection.drainEvents();
    await connection.drainEvents();
    await expect(connection.drainEvents({ timeout: 20 })).rejects.toSatisfy(isTimeoutError);
    expect(got).toEqual([1, 2, 3]);
    await broker.until(() => broker.queue('queue').messages === 0);
  });

  it('rejects with what its callback throws, and leaves that message to be settled', async () => {
    const { brokers, connection } = await consuming(1, {
      callbacks: [
        () => {
          throw new Error('no such customer');
        },
      ],
    });
    const [broker] = brokers as [MemoryBroker];
    await useProducer(connection.clone()).publish(1, { queue });
    await expect(connection.drainEvents()).rejects.toThrow('no such customer');
    expect(broker.queue('queue').unacked).toBe(1);
  });

  it('tells of what it cannot read', async () => {
    const errors: Error[] = [];
    const { connection, publish } = await consuming(1, { accept: ['text'] });
    await publish(1);
    await expect(connection.drainEvents()).rejects.toBeInstanceOf(SerializationError);
    const told = await consuming(1, {
      accept: ['text'],
      onDecodeError: (message, error) => {
        errors.push(error);
        message.reject();
      },
    });
    await told.publish(1);
    await told.connection.drainEvents();
    expect([errors.length, told.got]).toEqual([1, []]);
  });

  it('holds no more than its prefetch, and gives back what was not drained', async () => {
    const { brokers, connection, publish } = await consuming(1, { prefetchCount: 2 });
    const [broker] = brokers as [MemoryBroker];
    await publish(1, 2, 3);
    await broker.until(() => broker.queue('queue').unacked === 2);
    await connection.close();
    await broker.until(() => broker.queue('queue').ready === 3);
    await expect(connection.drainEvents()).rejects.toBeInstanceOf(ConnectionClosedError);
  });

  it('may take messages that count as settled when they are sent', async () => {
    const { brokers, connection, got, publish } = await consuming(1, { noAck: true });
    const [broker] = brokers as [MemoryBroker];
    await publish(1);
    await connection.drainEvents();
    expect([got, broker.queue('queue').messages]).toEqual([[1], 0]);
  });

  it('ends with its signal, and leaves no listener behind', async () => {
    const { connection } = await consuming(1);
    const over = new AbortController();
    for (let n = 0; n < 20; n += 1) {
      await connection.drainEvents({ timeout: 1, signal: over.signal }).catch(() => undefined);
    }
    expect(getEventListeners(over.signal, 'abort')).toHaveLength(0);
    const draining = connection.drainEvents({ signal: over.signal });
    over.abort(new Error('enough'));
    await expect(draining).rejects.toThrow('enough');
  });

  it('drains no more once its signal has aborted, however much has come', async () => {
    const { brokers, connection, got, publish } = await consuming(1);
    const [broker] = brokers as [MemoryBroker];
    await publish(1, 2);
    await broker.until(() => broker.queue('queue').unacked === 2);
    const over = new AbortController();
    await connection.drainEvents({ signal: over.signal });
    over.abort(new Error('enough'));
    await expect(connection.drainEvents({ signal: over.signal })).rejects.toThrow('enough');
    expect(got).toEqual([1]);
  });

  it('has the verbs of kombu', async () => {
    const { brokers, connection, publish } = await consuming(1);
    const [broker] = brokers as [MemoryBroker];
    const other = new Queue<number>('other');
    await using consumer = connection.consumer(other, { prefetchCount: 1 });
    await consumer.declare();
    expect([consumer.consumingFrom(other), consumer.queues]).toEqual([false, [other]]);
    await expect(consumer.recover()).rejects.toThrow('consume()');
    consumer.addQueue(queue);
    await consumer.qos({ prefetchCount: 5 });
    await consumer.consume();
    expect(broker.consumers.map(({ prefetch }) => prefetch)).toEqual([10, 5, 5]);
    await consumer.cancelByQueue(queue);
    await publish(1, 2);
    await broker.until(() => broker.queue('queue').unacked === 2);
    await consumer.cancel();
    expect([broker.queue('other').consumers, await consumer.purge()]).toEqual([0, 0]);
    expect(() => connection.consumer(queue, { prefetchCount: 0 })).toThrow('prefetchCount');
  });
});
