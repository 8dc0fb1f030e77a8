import { describe, expect, it } from 'vitest';
import {
  Exchange,
  Queue,
  isAmqpError,
  isConfigurationError,
  isOperationalError,
  isSerializationError,
} from 'nestjs-failover';
import { useConnectionTo, useMemoryBrokers, useProducer } from './setting.js';

const orders = new Exchange('orders', { type: 'topic' });
const created = new Queue<number>('orders.created', {
  exchange: orders,
  routingKey: 'order.created',
});

async function setting() {
  const brokers = await useMemoryBrokers(1);
  const [broker] = brokers;
  const connection = useConnectionTo(brokers);
  return { broker: broker!, connection, producer: useProducer(connection) };
}

describe('the verbs of entities', () => {
  it('declare, bind, unbind, purge and delete on the channel that they are given', async () => {
    const { broker, connection, producer } = await setting();
    const audit = new Exchange('audit', { type: 'fanout' });
    await connection.autoretry((channel) => created.declare(channel))();
    await connection.autoretry((channel) => audit.declare(channel))();
    const channel = await connection.defaultChannel();
    await audit.bindTo(channel, orders, '#');
    await created.bindTo(channel, 'audit');
    const to = { exchange: orders, routingKey: 'order.paid' };
    await producer.publish(1, to);
    expect(broker.queue('orders.created').ready).toBe(1);
    await created.unbindFrom(channel, audit);
    await expect(producer.publish(2, to)).rejects.toMatchObject({ outcome: 'returned' });
    await created.bindTo(channel, orders, 'order.paid');
    await audit.unbindFrom(channel, orders, '#');
    await producer.publish(3, to);
    expect(await created.purge(channel)).toBe(2);
    await producer.publish(4, to);
    expect(await created.delete(channel)).toBe(1);
    await orders.delete(channel, { ifUnused: true });
    await orders.delete(channel);
    await audit.delete(channel);
    expect(broker.consumers).toEqual([]);
  });

  it('refuse to delete what is in use, when asked so', async () => {
    const { connection, producer } = await setting();
    await producer.publish(1, { queue: created, declare: [created] });
    const inUse = (run: () => Promise<unknown>) =>
      expect(run()).rejects.toMatchObject({ code: 406 });
    await inUse(async () => created.delete(await connection.channel(), { ifEmpty: true }));
    await inUse(async () => orders.delete(await connection.channel(), { ifUnused: true }));
  });
});

describe('producer.maybeDeclare', () => {
  it('declares what is not declared yet, and again wherever it publishes later', async () => {
    const { broker, connection, producer } = await setting();
    await producer.maybeDeclare(created);
    expect(broker.queue('orders.created').exists).toBe(false);
    await connection.connect();
    await producer.maybeDeclare(created, orders);
    expect(broker.queue('orders.created').exists).toBe(true);
    await expect(producer.maybeDeclare('orders' as never)).rejects.toSatisfy(isConfigurationError);
  });
});

describe('connection.get', () => {
  it('takes one message, which is settled like any other; undefined from an empty queue', async () => {
    const { broker, connection, producer } = await setting();
    expect(await connection.get(created)).toBeUndefined();
    for (const n of [1, 2]) await producer.publish(n, { queue: created });
    const first = await connection.get(created);
    const second = await connection.get(created);
    expect([first?.payload, second?.payload]).toEqual([1, 2]);
    expect(broker.queue('orders.created').unacked).toBe(2);
    expect([first?.ack(), second?.requeue()]).toEqual(['sent', 'sent']);
    await broker.until(() => broker.queue('orders.created').ready === 1);
    const again = await connection.get(created);
    expect([again?.payload, again?.redelivered]).toEqual([2, true]);
  });

  it('gives a message that is lost with its connection, and there again on the next one', async () => {
    const brokers = await useMemoryBrokers(1);
    const [broker] = brokers;
    const connection = useConnectionTo(brokers);
    const producer = useProducer(connection.clone());
    await producer.publish(1, { queue: created, declare: [created] });
    const message = await connection.get(created);
    broker!.closeConnections(320);
    await broker!.until(() => message?.signal.aborted === true);
    expect([message?.ack(), message?.state]).toEqual(['lost', 'lost']);
    expect((await connection.get(created))?.redelivered).toBe(true);
  });

  it('leaves no listener on the channel, settled or not needing it', async () => {
    const { connection, producer } = await setting();
    const channel = await connection.defaultChannel();
    const added: unknown[] = [];
    const { on, off } = channel;
    channel.on = (event, listener) => {
      added.push(listener);
      return on.call(channel, event, listener);
    };
    channel.off = (event, listener) => {
      added.splice(added.indexOf(listener), 1);
      return off.call(channel, event, listener);
    };
    for (let n = 0; n < 3; n += 1)
      await producer.publish(n, { queue: created, declare: [created] });
    (await connection.get(created))?.ack();
    (await connection.get(created))?.reject();
    const third = await connection.get(created, { noAck: true });
    expect([third?.payload, third?.ack(), added]).toEqual([2, 'sent', []]);
  });

  it('says what is wrong with what it was given', async () => {
    const { connection, producer } = await setting();
    await expect(connection.get('orders' as never)).rejects.toThrow('queue');
    await expect(connection.get(created, { accept: ['yaml'] })).rejects.toThrow('accept');
    await producer.publish(1, { queue: created, declare: [created] });
    const message = await connection.get(created, { accept: ['text'] });
    expect(() => message?.payload).toThrow(expect.toSatisfy(isSerializationError));
    const gone = new Queue('gone', { passive: true });
    await expect(connection.get(gone)).rejects.toMatchObject({ code: 404 });
    const exclusive = new Queue('nowhere', { noDeclare: true });
    await expect(connection.get(exclusive)).rejects.toSatisfy(isAmqpError);
  });

  it('waits for a connection no longer than it may', async () => {
    const brokers = await useMemoryBrokers(1);
    const connection = useConnectionTo(brokers);
    await connection.connect();
    brokers[0]!.kill();
    await expect(connection.get(created, { timeout: 30 })).rejects.toSatisfy(isOperationalError);
  });
});
