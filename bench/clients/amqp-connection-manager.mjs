import { connect } from 'amqp-connection-manager';

export const title = 'amqp-connection-manager';

export async function open({ urls, queue }) {
  const connection = connect(urls, { connectionOptions: { noDelay: true } });
  const channel = connection.createChannel({ json: false, publishTimeout: 60_000 });
  await channel.waitForConnect();
  return {
    publish(body, messageId, done) {
      const properties = {
        messageId,
        contentType: 'application/json',
        deliveryMode: 2,
        mandatory: true,
      };
      void channel.publish('', queue, body, properties).then(() => done(), done);
    },
    async consume(prefetch, handled) {
      const consumer = connection.createChannel({ json: false });
      const onMessage = (message) => {
        consumer.ack(message);
        handled(message.content);
      };
      await consumer.consume(queue, onMessage, { prefetch });
      await consumer.waitForConnect();
    },
    close: () => connection.close(),
  };
}
