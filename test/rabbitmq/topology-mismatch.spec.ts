import { expect, onTestFinished, test } from 'vitest';
import { ConsumerLoop, Producer, Queue } from 'nestjs-failover';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { useConnection } from '../kit/fronts.js';
import { until } from '../kit/rabbitmq/index.js';

const [first] = useBrokers();

/** A broker that holds a queue `orders` which differs from our declaration. */
async function otherQueue() {
  const vhost = await useVhost(first);
  const connection = useConnection({ urls: vhost.urls });
  await (await connection.channel()).assertQueue('orders', { durable: true });
  const orders = new Queue('orders', { maxLength: 10 });
  return { vhost, connection, orders };
}

test('rejects the start of a consumer whose queue exists with other arguments, and names the queue', async () => {
  const { vhost, connection, orders } = await otherQueue();
  const consumer = new ConsumerLoop(connection, {
    name: 'Orders',
    queues: [orders],
    handle: () => {},
  });

  await expect(consumer.start()).rejects.toMatchObject({
    name: 'TopologyError',
    entity: 'queue "orders"',
    code: 406,
    message: expect.stringContaining('queue "orders"') as string,
  });

  expect(consumer.state).toMatchObject({ status: 'failed', error: { code: 406 } });
  expect(await first.consumerCount('orders', vhost.name)).toBe(0);
  await consumer.stop();
});

test('rejects declare() with what differs, and declares everything else', async () => {
  const { vhost, connection, orders } = await otherQueue();

  const declaring = connection.declare(orders, new Queue('invoices'));

  await expect(declaring).rejects.toMatchObject({ name: 'TopologyError', code: 406 });
  expect(await first.messageCount('invoices', vhost.name)).toBe(0);
});

test('goes on publishing where a declaration is refused: the queue that is there takes it', async () => {
  const { vhost, connection, orders } = await otherQueue();
  const producer = new Producer(connection);
  onTestFinished(() => producer.close());

  await producer.publish('kept', { routingKey: 'orders', declare: [orders] });

  expect(await first.readyCount('orders', vhost.name)).toBe(1);
});

test('retries a mismatch that appears while it runs, and consumes again when the queue is mended', async () => {
  const vhost = await useVhost(first);
  const connection = useConnection({ urls: vhost.urls });
  const orders = new Queue('orders', { maxLength: 10 });
  const consumer = new ConsumerLoop(connection, {
    name: 'Orders',
    queues: [orders],
    handle: () => {},
  });
  await consumer.start();
  await connection.autoretry(async (channel) => {
    await channel.deleteQueue('orders');
    await channel.assertQueue('orders', { durable: true });
  })();
  const codeOf = (error: unknown) => (error as { code?: number } | undefined)?.code;
  await until('a mismatch', () => codeOf(consumer.lastError) === 406, 20_000);
  expect(consumer.state.status).not.toBe('consuming');

  await first.deleteQueue('orders', vhost.name);

  await until('consuming', () => consumer.state.status === 'consuming', 20_000);
  await consumer.stop();
});
