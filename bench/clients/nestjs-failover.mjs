import { ConsumerLoop, FailoverConnection, Producer, Queue } from 'nestjs-failover';

export const title = 'nestjs-failover';

/** It is given an object, and encodes it. */
export const takesObjects = true;

export async function open({ urls, queue: name, type = 'classic' }) {
  const connection = new FailoverConnection({ urls, logger: false });
  const producer = new Producer(connection, {
    maxMessages: 1_000_000,
    maxBytes: 2 ** 30,
    timeout: 600_000,
  });
  const queue = new Queue(name, { type });
  await connection.declare(queue);
  await connection.connect();
  return {
    publish(body, messageId, done) {
      void producer.publish(body, { queue, messageId }).then(() => done(), done);
    },
    async consume(prefetchCount, handled) {
      const loop = new ConsumerLoop(connection.clone(), {
        name: 'Bench',
        queues: [queue],
        prefetchCount,
        handle: handled,
      });
      await loop.start();
    },
    close: () => producer.close().then(() => connection.close()),
  };
}
