import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MemoryBroker } from 'nestjs-failover/testing';
import { useBrokers } from '../kit/brokers.js';
import { method } from '../kit/amqp-frames.js';
import { RawClient } from './raw-client.js';
import { eventually } from './seat.js';

/** All that RabbitMQ answers and a MemoryBroker refuses; what is not here has to be the same on both. */
const leftOut = [
  { name: 'tx.select', id: [90, 10], before: [], onRabbit: '1 tx.select-ok' },
  { name: 'tx.commit', id: [90, 20], before: [[90, 10]], onRabbit: '1 tx.commit-ok' },
  { name: 'tx.rollback', id: [90, 30], before: [[90, 10]], onRabbit: '1 tx.rollback-ok' },
] as const;

const [rabbit] = useBrokers({ healed: 'once' });
let memory: MemoryBroker;
beforeAll(async () => {
  memory = await MemoryBroker.start();
});
afterAll(() => memory.close());

const onChannel = async (url: string): Promise<RawClient> => {
  const client = await RawClient.connect(url);
  await client.login({});
  client.openChannel(1);
  await client.hears('1 channel.open-ok');
  return client;
};

test('a stream is declared by RabbitMQ, and refused by its name in memory', async () => {
  const declared = async (url: string): Promise<string> => {
    const model = await connect(url);
    let refusal = 'nothing';
    model.on('error', (error: Error) => {
      refusal = error.message;
    });
    const channel = await model.createChannel();
    channel.on('error', () => undefined);
    try {
      const queue = `left-out-${randomUUID()}`;
      await channel.assertQueue(queue, { arguments: { 'x-queue-type': 'stream' } });
      await channel.deleteQueue(queue);
      await model.close();
      return 'declared';
    } catch {
      await eventually(() => refusal !== 'nothing');
      return refusal;
    }
  };
  expect(await declared(rabbit.url())).toBe('declared');
  expect(await declared(memory.url())).toContain(
    'NOT_IMPLEMENTED - streams are not part of the MemoryBroker',
  );
});

test.each(leftOut)(
  '$name is answered by RabbitMQ, and refused by its name in memory',
  async ({ name, id, before, onRabbit }) => {
    const real = await onChannel(rabbit.url());
    real.send(...before.map((one) => method(1, one)), method(1, id));
    expect(await real.hears(onRabbit), real.heard.join()).toBe(true);
    real.end();

    const embedded = await onChannel(memory.url());
    embedded.send(method(1, id));
    const refusal = (await embedded.fate()).find((one) => one.includes('.close '));
    expect(refusal).toMatch(/^0 connection\.close 540 NOT_IMPLEMENTED/u);
    expect(refusal).toContain(name);
    embedded.end();
  },
);
