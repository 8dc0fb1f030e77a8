import { expect, onTestFinished, test } from 'vitest';
import type { ConsumerCallback, ConsumerFactory, ErrbackEvent } from 'nestjs-failover';
import {
  ConsumerMixin,
  FailoverConnection,
  Producer,
  Queue,
  isConfigurationError,
  isTimeoutError,
} from 'nestjs-failover';
import type { Vhost } from '../kit/brokers.js';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { next } from '../kit/fronts.js';
import { freePorts } from '../kit/rabbitmq/ports.js';

// The ten examples of kombu's guide "Automatic Failover", in their order, as docs/kombu.md shows them: each on two real brokers, of which
// the first one dies where the example can meet that.

const brokers = useBrokers();
const [first, second] = brokers;
const quiet = { logger: false, intervalStart: 50, intervalStep: 50 } as const;

/** What is published to the second broker after the first has died is to be got. */
async function publishToSecond(vhost: Vhost, body: string): Promise<void> {
  await using connection = new FailoverConnection({ urls: vhost.url(second), ...quiet });
  await using producer = new Producer(connection);
  const queue = new Queue('queue');
  await producer.publish(body, { queue });
}

const handledBy = (got: readonly unknown[], count: number) =>
  expect.poll(() => got, { timeout: 10_000 }).toHaveLength(count);

test('1: the connection picks the healthy broker of the list', async () => {
  const vhost = await useVhost(second);
  const [dead = 0] = await freePorts(1);
  const urls = `amqp://127.0.0.1:${dead};${vhost.url(second)}`;
  // <example 1>
  await using connection = new FailoverConnection({ urls });
  await connection.connect();
  connection.asUri(); // 'amqp://guest:**@healthy.example.com/%2F'
  // </example>
  expect(connection.asUri()).toContain(`:**@127.0.0.1:${second.port}/`);
});

test('2: it tries the brokers in the order of a strategy', async () => {
  const { urls } = await useVhost(brokers);
  // <example 2>
  await using connection = new FailoverConnection({ urls, failoverStrategy: 'round-robin' });
  // </example>
  await connection.connect();
  const connected = next(connection, 'connected');
  await first.kill();
  expect(await connected).toMatchObject({ broker: expect.stringContaining(`:${second.port}/`) });
});

test('3: there are strategies of several names, and those of your own', async () => {
  const { urls } = await useVhost(brokers);
  const unknown = () => new FailoverConnection({ urls, failoverStrategy: 'random' as 'shuffle' });
  expect(unknown).toThrow(/'round-robin'.*'shuffle'.*'priority'/u);
  expect(unknown).toThrow(expect.toSatisfy(isConfigurationError));
  // <example 3>
  await using connection = new FailoverConnection({
    urls,
    *failoverStrategy(list) {
      for (;;) yield* list.toReversed();
    },
  });
  // </example>
  await connection.connect();
  expect(connection.asUri()).toContain(`:${second.port}/`);
});

test('4: a publish under ensure goes out again on the next broker', async () => {
  const vhost = await useVhost(brokers);
  const told: ErrbackEvent[] = [];
  const logger = { error: (_text: string, error: ErrbackEvent) => told.push(error) };
  await using connection = new FailoverConnection({ urls: vhost.urls, ...quiet });
  await connection.declare(new Queue('dest'));
  // <example 4>
  await using producer = new Producer(connection);
  const publish = connection.ensure(producer, producer.publish, {
    errback: (event) => logger.error(`retry in ${event.interval} ms`, event),
    maxRetries: 3,
  });
  await publish({ hello: 'world' }, { routingKey: 'dest' });
  // </example>
  await first.kill();
  await publish({ hello: 'again' }, { routingKey: 'dest' });
  expect(await second.readyCount('dest', vhost.name)).toBe(1);
});

test('5: an operation that takes a channel gets one that lives from autoretry', async () => {
  const vhost = await useVhost(brokers);
  await using connection = new FailoverConnection({ urls: vhost.urls, ...quiet });
  await connection.connect();
  await first.kill();
  // <example 5>
  const queue = new Queue('test_queue');
  const declare = connection.autoretry((channel) => queue.declare(channel));
  await declare(); // 'test_queue'
  // </example>
  expect(await second.messageCount('test_queue', vhost.name)).toBe(0);
});

test('6: a publish retries by itself', async () => {
  const vhost = await useVhost(brokers);
  await using connection = new FailoverConnection({ urls: vhost.urls, ...quiet });
  await connection.declare(new Queue('queue'));
  // <example 6>
  await using producer = new Producer(connection);
  await producer.publish({ hello: 'world' }, { routingKey: 'queue', retry: true });
  // </example>
  const publishes = Array.from({ length: 200 }, (_, n) => {
    if (n === 100) void first.kill();
    return producer.publish({ n }, { routingKey: 'queue' });
  });
  const receipts = await Promise.all(publishes);
  expect(receipts.every(({ messageId }) => messageId !== '')).toBe(true);
  const onSecond = receipts.filter(({ broker }) => broker.includes(`:${second.port}/`));
  expect(await second.readyCount('queue', vhost.name)).toBe(onSecond.length);
});

test('7 and 8: the loop that drains survives its broker under ensure', async () => {
  const vhost = await useVhost(brokers);
  const got: unknown[] = [];
  const stop = new AbortController();
  await using connection = new FailoverConnection({ urls: vhost.urls, ...quiet });
  await using consumer = connection.consumer(new Queue('queue'), {
    callbacks: [(body, message) => void (got.push(body), message.ack())],
  });
  await consumer.consume();
  // <example 7>
  async function consume() {
    while (!stop.signal.aborted) {
      try {
        await connection.drainEvents({ timeout: 1_000 });
      } catch (error) {
        if (!isTimeoutError(error)) throw error;
      }
    }
  }
  // </example>
  const [loss] = await Promise.all([consume().catch((error: unknown) => error), first.kill()]);
  expect(loss).toMatchObject({ name: 'AmqpError' });
  // <example 8>
  const ensured = connection.ensure(connection, consume);
  const consuming = ensured();
  // </example>
  await publishToSecond(vhost, 'from the second');
  await handledBy(got, 1);
  stop.abort();
  await consuming;
  expect(await second.messageCount('queue', vhost.name)).toBe(0);
});

test('9: a consumer under ensure is registered on the next broker', async () => {
  const vhost = await useVhost(brokers);
  const { urls } = vhost;
  const got: unknown[] = [];
  const print = (body: unknown) => got.push(body);
  const stop = new AbortController();
  const run = async () => {
    // <example 9>
    const queue = new Queue<string>('queue');
    const callback: ConsumerCallback<string> = (body, message) => {
      print(body);
      message.ack();
    };
    await using connection = new FailoverConnection({ urls });
    await using consumer = connection.consumer(queue);
    consumer.registerCallback(callback);
    await consumer.consume();
    const consume = connection.ensure(connection, async () => {
      while (!stop.signal.aborted) {
        await connection.drainEvents({ timeout: 1_000 }).catch((error: unknown) => {
          if (!isTimeoutError(error)) throw error;
        });
      }
    });
    await consume();
    // </example>
  };
  const running = run();
  onTestFinished(() => stop.abort());
  await expect.poll(() => first.consumerCount('queue', vhost.name)).toBe(1);
  await first.kill();
  await publishToSecond(vhost, 'hello');
  await handledBy(got, 1);
  expect(await second.consumerCount('queue', vhost.name)).toBe(1);
  stop.abort();
  await running;
});

test('10: a ConsumerMixin makes its consumers anew on the next broker', async () => {
  const vhost = await useVhost(brokers);
  const got: unknown[] = [];
  const print = (text: string) => got.push(text);
  await using brokerList = new FailoverConnection({ urls: vhost.urls, ...quiet });
  // <example 10>
  class C extends ConsumerMixin {
    constructor(readonly connection: FailoverConnection) {
      super();
    }

    getConsumers(consumer: ConsumerFactory) {
      return [
        consumer(new Queue<string>('queue'), { callbacks: [this.onMessage], accept: ['json'] }),
      ];
    }

    onMessage: ConsumerCallback<string> = (body, message) => {
      print(`RECEIVED MESSAGE: ${body}`);
      message.ack();
    };
  }

  const c = new C(brokerList);
  const running = c.run();
  // </example>
  onTestFinished(() => c.stop());
  await expect.poll(() => first.consumerCount('queue', vhost.name)).toBe(1);
  await first.kill();
  await publishToSecond(vhost, 'hello');
  await handledBy(got, 1);
  expect(got).toEqual(['RECEIVED MESSAGE: hello']);
  expect(await second.consumerCount('queue', vhost.name)).toBe(1);
  await c.stop();
  await running;
});
