import { createServer, connect as dial } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'amqplib';
import type { MemoryBroker } from 'nestjs-failover/testing';

/** What amqplib sends to a broker in a session that uses most of the protocol, byte by byte. */
export async function recordedSession(broker: MemoryBroker): Promise<Buffer> {
  const sent: Buffer[] = [];
  const relay = createServer((client) => {
    const server = dial(broker.port, '127.0.0.1');
    client.on('data', (chunk: Buffer) => {
      sent.push(chunk);
      server.write(chunk);
    });
    server.on('data', (chunk) => client.write(chunk));
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
    }
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const { port } = relay.address() as AddressInfo;
  const model = await connect(`amqp://guest:guest@127.0.0.1:${port}/`);
  const channel = await model.createConfirmChannel();
  await channel.assertExchange('x', 'topic', { durable: false, alternateExchange: 'ae' });
  await channel.assertQueue('q', { messageTtl: 60_000, maxPriority: 3, deadLetterExchange: 'x' });
  await channel.bindQueue('q', 'x', 'a.#', { 'x-match': 'any', n: 1 });
  await channel.prefetch(3);
  const { consumerTag } = await channel.consume('q', (message) => {
    if (message === null) return;
    if (message.fields.redelivered) channel.ack(message);
    else channel.nack(message, false, true);
  });
  for (const size of [0, 10, 200_000]) {
    channel.publish('x', 'a.b', Buffer.alloc(size, 'x'), {
      mandatory: true,
      headers: { list: [1, 'two', { three: 3 }], at: { '!': 'timestamp', value: 1 } },
      messageId: 'm',
      expiration: '50000',
      priority: 2,
    });
  }
  await channel.waitForConfirms();
  await channel.get('q');
  await channel.recover();
  await channel.cancel(consumerTag);
  await channel.unbindQueue('q', 'x', 'a.#');
  await channel.purgeQueue('q');
  await channel.deleteQueue('q');
  await channel.deleteExchange('x');
  await channel.close();
  await model.close();
  relay.close();
  return Buffer.concat(sent);
}
