import { AMQPClient } from '@cloudamqp/amqp-client';

export const title = '@cloudamqp/amqp-client';

/** It has no list of brokers. */
export const oneBroker = true;

export async function open({ urls, queue }) {
  const client = new AMQPClient(urls[0]);
  client.logger = null;
  const connection = await client.connect();
  const channel = await connection.channel();
  await channel.confirmSelect();
  return {
    publish(body, messageId, done) {
      const properties = { messageId, contentType: 'application/json', deliveryMode: 2 };
      void channel.basicPublish('', queue, body, properties, true).then(() => done(), done);
    },
    async consume(prefetch, handled) {
      const consumer = await connection.channel();
      await consumer.prefetch(prefetch);
      await consumer.basicConsume(queue, { noAck: false }, (message) => {
        message.ack().catch(() => undefined);
        handled(message.body);
      });
    },
    close: () => connection.close(),
  };
}
