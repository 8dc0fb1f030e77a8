// The baseline: a ConfirmChannel, a callback a publish, a Buffer that is there before.
import { connect } from 'amqplib';

export const title = 'amqplib';

export async function open({ urls, queue }) {
  const model = await connect(urls[0], { noDelay: true });
  model.on('error', () => undefined);
  const channel = await model.createConfirmChannel();
  channel.on('error', () => undefined);
  return {
    publish(body, id, done) {
      channel.publish('', queue, body, properties(id), done);
    },
    async consume(prefetch, handled) {
      const consumer = await model.createChannel();
      await consumer.prefetch(prefetch);
      await consumer.consume(queue, (message) => {
        consumer.ack(message);
        handled(message.content);
      });
    },
    close: () => model.close(),
  };
}

const properties = (messageId) => ({
  messageId,
  contentType: 'application/json',
  deliveryMode: 2,
  mandatory: true,
});
