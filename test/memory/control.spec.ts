import { connect } from 'amqplib';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryBroker } from 'nestjs-failover/testing';

async function setting(): Promise<{
  broker: MemoryBroker;
  model: ChannelModel;
  channel: ConfirmChannel;
  ended: Promise<string>;
  answers: string[];
}> {
  const broker = await MemoryBroker.start();
  onTestFinished(() => broker.close());
  const model = await connect(broker.url(), { clientProperties: { connection_name: 'tested' } });
  model.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => {
    model.on('close', (error?: Error) => resolve(error?.message ?? 'closed'));
  });
  const channel = await model.createConfirmChannel();
  channel.on('error', () => undefined);
  const answers: string[] = [];
  for (const kind of ['ack', 'nack']) {
    channel.on(kind, ({ deliveryTag }: { deliveryTag: number }) =>
      answers.push(`${kind} ${deliveryTag}`),
    );
  }
  await channel.assertQueue('q');
  return { broker, model, channel, ended, answers };
}

const body = Buffer.from('x');

describe('a controlled method', () => {
  it('is seen with its fields, once and in the order of the calls, and takes its course', async () => {
    const { broker, channel } = await setting();
    const seen: unknown[] = [];
    const first = broker.control(
      'basic.publish',
      ({ fields, connection, channel: on, body: sent }) => {
        seen.push(['first', fields.routingKey, connection, on, sent?.toString()]);
      },
    );
    broker.control('basic.publish', () => void seen.push('second'));
    for (let n = 0; n < 3; n += 1) channel.sendToQueue('q', body);
    await channel.waitForConfirms();
    expect(seen).toEqual([['first', 'q', 'tested', 1, 'x'], 'second']);
    expect(await first.happened).toMatchObject({ method: 'basic.publish' });
    expect(broker.queue('q').ready).toBe(3);
  });

  it('that is dropped has no effect and no answer, and those after it have', async () => {
    const { broker, channel, answers } = await setting();
    broker.control('basic.publish', () => 'drop');
    for (let n = 0; n < 3; n += 1) channel.sendToQueue('q', body);
    await broker.until(() => answers.length === 2);
    expect(answers).toEqual(['ack 2', 'ack 3']);
    expect(broker.queue('q').ready).toBe(2);
  });

  it('that is nacked is in no queue', async () => {
    const { broker, channel, answers } = await setting();
    broker.control('basic.publish', () => 'nack');
    for (let n = 0; n < 2; n += 1) channel.sendToQueue('q', body);
    await broker.until(() => answers.length === 2);
    expect(answers).toEqual(['nack 1', 'ack 2']);
    expect(broker.queue('q').ready).toBe(1);
  });

  it('kills the broker before it has an effect', async () => {
    const { broker, channel, ended } = await setting();
    broker.control('basic.publish', () => 'kill');
    channel.sendToQueue('q', body);
    expect(await ended).toContain('ECONNRESET');
    expect([broker.state, broker.queue('q').ready]).toEqual(['down', 0]);
  });

  it('of the broker resets the connection before it leaves: the message is stored, and its confirm lost', async () => {
    const { broker, channel, ended, answers } = await setting();
    broker.control('basic.ack', () => 'reset', { from: 'broker' });
    channel.sendToQueue('q', body);
    expect(await ended).toContain('ECONNRESET');
    expect([answers, broker.state, broker.queue('q').ready]).toEqual([[], 'running', 1]);
  });

  it('that is delayed holds up what follows on its connection', async () => {
    const { broker, channel } = await setting();
    broker.control('queue.declare', () => ({ delay: 30 }));
    const order: string[] = [];
    const declared = channel.assertQueue('late').then(() => order.push('declared'));
    channel.sendToQueue('q', body);
    await channel.waitForConfirms().then(() => order.push('confirmed'));
    await declared;
    expect(order).toEqual(['declared', 'confirmed']);
  });

  it('of the broker that is delayed comes all the same', async () => {
    const { broker, channel } = await setting();
    broker.control('queue.declare-ok', () => ({ delay: 30 }));
    await expect(channel.assertQueue('late')).resolves.toMatchObject({ queue: 'late' });
  });

  it('closes its channel with a code', async () => {
    const { broker, channel } = await setting();
    broker.control('queue.declare', () => ({ closeChannel: 406, text: 'as I say' }));
    await expect(channel.assertQueue('other')).rejects.toThrow('PRECONDITION_FAILED - as I say');
    expect(broker.queue('other').exists).toBe(false);
  });

  it('closes its connection with a code', async () => {
    const { broker, channel, ended } = await setting();
    broker.control('queue.declare', () => ({ closeConnection: 541 }));
    channel.assertQueue('other').catch(() => undefined);
    expect(await ended).toContain('INTERNAL_ERROR');
    expect(broker.queue('other').exists).toBe(false);
  });

  it('may be one of the connection itself', async () => {
    const { broker, model, ended } = await setting();
    const goodbye = broker.control('connection.close', () => 'reset');
    void model.close().catch(() => undefined);
    expect(await goodbye.happened).toMatchObject({ channel: 0, fields: { replyCode: 200 } });
    await ended;
    broker.control('connection.open', () => ({ closeConnection: 530, text: 'not today' }));
    await expect(connect(broker.url())).rejects.toThrow('ConnectionClose');
  });

  it('is controlled no more when that is cancelled', async () => {
    const { broker, channel, answers } = await setting();
    broker.control('basic.publish', () => 'nack').cancel();
    channel.sendToQueue('q', body);
    await broker.until(() => answers.length === 1);
    expect(answers).toEqual(['ack 1']);
  });

  it('of a function that throws ends the connection, and says why to who waits', async () => {
    const { broker, channel, ended } = await setting();
    const fault = broker.control('queue.declare', () => {
      throw new Error('the test is wrong');
    });
    channel.assertQueue('other').catch(() => undefined);
    expect(await ended).toContain('the test is wrong');
    await expect(fault.happened).rejects.toThrow('the test is wrong');
  });
});
