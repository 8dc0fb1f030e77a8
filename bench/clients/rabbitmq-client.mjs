import { Connection } from 'rabbitmq-client';

export const title = 'rabbitmq-client';

export async function open({ urls, queue }) {
  const [first] = urls;
  const hosts = urls.map((url) => new URL(url).host);
  const connection = new Connection({ url: first, ...(hosts.length > 1 && { hosts }) });
  connection.on('error', () => undefined);
  await connection.onConnect();
  const publisher = connection.createPublisher({ confirm: true, maxAttempts: 5 });
  return {
    publish(body, messageId, done) {
      const envelope = {
        routingKey: queue,
        messageId,
        contentType: 'application/json',
        durable: true,
        mandatory: true,
      };
      void publisher.send(envelope, body).then(() => done(), done);
    },
    async consume(prefetchCount, handled) {
      const consumer = connection.createConsumer(
        { queue, queueOptions: { passive: true }, qos: { prefetchCount } },
        async (message) => {
          handled(message.body);
        },
      );
      consumer.on('error', () => undefined);
      await new Promise((resolve) => consumer.on('ready', resolve));
    },
    close: () => connection.close(),
  };
}
