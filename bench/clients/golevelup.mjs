import 'reflect-metadata';
import { AmqpConnection } from '@golevelup/nestjs-rabbitmq';

export const title = '@golevelup/nestjs-rabbitmq';

const silent = { log() {}, error() {}, warn() {}, debug() {}, verbose() {} };

export async function open({ urls, queue }) {
  const connection = new AmqpConnection({
    uri: urls,
    prefetchCount: 250,
    logger: silent,
    connectionManagerOptions: { connectionOptions: { noDelay: true } },
  });
  await connection.init();
  return {
    publish(body, messageId, done) {
      const properties = {
        messageId,
        contentType: 'application/json',
        deliveryMode: 2,
        mandatory: true,
      };
      void connection.publish('', queue, body, properties).then(() => done(), done);
    },
    async consume(_prefetch, handled) {
      const handler = async (body) => {
        handled(body);
      };
      const options = { queue, createQueueIfNotExists: false };
      await connection.createSubscriber(handler, options, 'handled');
    },
    close: () => connection.managedConnection.close(),
  };
}
