import { describe, expect, it } from 'vitest';
import type { AmqpError } from '../../lib/errors.js';
import type { ConsumeMessage } from 'amqplib';
import * as frames from '../kit/amqp-frames.js';
import { dialPeer, rejection } from '../kit/dial.js';
import { silence } from '../kit/scripted-peer.js';
import type { Answer } from '../kit/scripted-peer.js';

const DECLARE = [50, 10] as const;
const PUBLISH = [60, 40] as const;

const closeOver =
  (code: number, method: readonly [number, number]): Answer =>
  ({ channel }) =>
    frames.channelClose(channel, code, 'no', method);

async function thrown(run: () => unknown): Promise<AmqpError> {
  return rejection<AmqpError>(Promise.resolve().then(run));
}

describe('a channel that the broker closes', () => {
  it('gives the code to the RPC it was closed over, and to no other', async () => {
    const { connection, clock } = await dialPeer({ 'queue.declare': closeOver(404, DECLARE) });
    const channel = await connection.openChannel();
    const closed = new Promise<AmqpError>((resolve) => {
      channel.on('close', resolve);
    });
    const guilty = rejection<AmqpError>(channel.checkQueue('missing'));
    const queued = rejection<AmqpError>(channel.checkQueue('other'));
    expect(await guilty).toMatchObject({ code: 404, fault: { scope: 'channel', code: 404 } });
    expect((await guilty).fault.channel).toBe(channel);
    expect((await queued).fault).toMatchObject({ scope: 'channel', code: undefined });
    expect((await rejection<AmqpError>(channel.checkQueue('late'))).fault).toMatchObject({
      scope: 'channel',
      code: undefined,
    });
    expect(await closed).toBe(channel.loss);
    expect(channel.loss).toMatchObject({ code: 404 });
    expect(connection.loss).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  it('over a publish gives no code to the RPC that was under way, but gives it to the confirms', async () => {
    const { connection } = await dialPeer({ 'queue.declare': closeOver(404, PUBLISH) });
    const channel = await connection.openConfirmChannel();
    channel.publish('missing', 'q', Buffer.from('x'));
    const confirms = rejection<AmqpError>(channel.waitForConfirms());
    const declare = rejection<AmqpError>(channel.assertQueue('q'));
    expect((await declare).fault).toMatchObject({ scope: 'channel', code: undefined });
    expect((await confirms).fault).toMatchObject({ scope: 'channel', code: 404 });
    expect((await rejection<AmqpError>(channel.waitForConfirms())).code).toBe(404);
  });

  it('harms no other channel', async () => {
    const { connection } = await dialPeer({
      'basic.qos': closeOver(540, [60, 10]),
    });
    const [one, other] = [await connection.openChannel(), await connection.openChannel()];
    await rejection(one.prefetch(1));
    await other.assertQueue('q');
    expect(other.loss).toBeUndefined();
  });

  it('tells a close listener that comes late', async () => {
    const { connection } = await dialPeer({ 'basic.qos': closeOver(540, [60, 10]) });
    const channel = await connection.openChannel();
    await rejection(channel.prefetch(1));
    const late = new Promise((resolve) => {
      channel.on('close', resolve);
    });
    expect(await late).toBe(channel.loss);
  });
});

describe('an RPC', () => {
  it('that is not answered in time costs its channel, and whatever waited behind it', async () => {
    const { connection, session, clock } = await dialPeer(
      { 'queue.declare': silence },
      { rpcTimeout: 40 },
    );
    const channel = await connection.openChannel();
    const [first, second] = await Promise.all([
      rejection<AmqpError>(channel.assertQueue('a')),
      rejection<AmqpError>(channel.assertQueue('b')),
    ]);
    expect(first.fault.scope).toBe('channel');
    expect(second.fault.scope).toBe('channel');
    expect(channel.loss?.message).toMatch(/did not answer queue\.declare within 40 ms/u);
    await session.seen('channel.close');
    expect(connection.loss).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  it('that gets the answer of another costs its channel', async () => {
    const { connection } = await dialPeer({
      'queue.declare': ({ channel }) => frames.qosOk(channel),
    });
    const channel = await connection.openChannel();
    expect((await rejection<AmqpError>(channel.assertQueue('a'))).fault.scope).toBe('channel');
    expect(channel.loss).toBeDefined();
  });

  it('whose arguments cannot be encoded leaves the channel as it was', async () => {
    const { connection } = await dialPeer();
    const channel = await connection.openConfirmChannel();
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const failures = [
      await rejection<AmqpError>(channel.assertQueue('q', { arguments: { 'x-n': 1n } })),
      await thrown(() => channel.publish('', 'q', Buffer.from('x'), { headers: { n: 1n } })),
      await thrown(() => channel.publish('', 'q', Buffer.from('x'), { headers: { circular } })),
      await thrown(() => channel.publish('', 'q'.repeat(300), Buffer.from('x'))),
      await thrown(() => channel.publish('', 'q', 'text' as never)),
    ];
    for (const failure of failures) {
      expect(failure).toMatchObject({ name: 'AmqpError', fault: { scope: 'operation' } });
      expect(failure.cause).toBeInstanceOf(Error);
    }
    await channel.waitForConfirms();
    expect(channel.loss).toBeUndefined();
  });

  it('to open a channel beyond the limit is refused, and the connection goes on', async () => {
    const { connection } = await dialPeer({
      'connection.start-ok': () => frames.connectionTune(60, 1),
    });
    const first = await connection.openChannel();
    const failure = await rejection<AmqpError>(connection.openConfirmChannel());
    // Another connection or channel would not help, so it is not run again.
    expect(failure.fault.scope).toBe('operation');
    expect(failure.message).toContain('channel_max');
    await first.assertQueue('q');
  });
});

describe('a consumer', () => {
  const consumer: Record<string, Answer> = {
    'basic.consume': ({ channel }) =>
      Buffer.concat([
        frames.consumeOk(channel, 't'),
        frames.deliver(channel, 't', 1, 'one'),
        frames.deliver(channel, 't', 2, 'two'),
        frames.brokerCancel(channel, 't'),
      ]),
  };

  it('gets its messages, and null when the broker cancels it', async () => {
    const { connection } = await dialPeer(consumer);
    const channel = await connection.openChannel();
    const bodies: (string | null)[] = [];
    const cancelled = new Promise<string>((resolve) => {
      channel.on('cancel', resolve);
    });
    await channel.consume('q', (message) => bodies.push(message?.content.toString() ?? null));
    expect(await cancelled).toBe('t');
    expect(bodies).toEqual(['one', 'two', null]);
    expect(channel.loss).toBeUndefined();
  });

  it('that throws or rejects is reported, and gets the next message', async () => {
    const { connection, reported } = await dialPeer(consumer);
    const channel = await connection.openChannel();
    const seen: (ConsumeMessage | null)[] = [];
    const cancelled = new Promise<string>((resolve) => {
      channel.on('cancel', resolve);
    });
    await channel.consume('q', (message) => {
      seen.push(message);
      if (seen.length === 1) throw new Error('thrown');
      return Promise.reject(new Error('rejected')) as never;
    });
    await cancelled;
    await channel.assertQueue('still alive');
    expect(seen).toHaveLength(3);
    expect(reported.map(({ error }) => (error as Error).message)).toEqual([
      'thrown',
      'rejected',
      'rejected',
    ]);
  });

  it('gets nothing that was read together with the end of its channel', async () => {
    const { connection } = await dialPeer(consumer);
    const channel = await connection.openChannel();
    let calls = 0;
    const ended = new Promise((resolve) => {
      connection.onEnd(resolve);
    });
    const consuming = channel.consume('q', () => {
      calls += 1;
      connection.destroy(new Error('in the middle of a read'));
    });
    await Promise.allSettled([consuming, ended]);
    expect(calls).toBe(1);
  });
});

describe('a confirm channel', () => {
  it('tells of each confirmation, and of a return before its own', async () => {
    const { connection, session } = await dialPeer();
    const channel = await connection.openConfirmChannel();
    const told: unknown[] = [];
    channel.on('return', (message) => told.push(message.fields.routingKey));
    channel.on('ack', ({ deliveryTag, multiple }) => told.push(['ack', deliveryTag, multiple]));
    channel.on('nack', ({ deliveryTag, multiple }) => told.push(['nack', deliveryTag, multiple]));
    for (let n = 0; n < 4; n += 1) channel.publish('', 'q', Buffer.from('x'));
    const { channel: number } = await session.seen('basic.publish', 4);
    const refused = rejection<AmqpError>(channel.waitForConfirms());
    session.send(
      frames.basicReturn(number, 'nowhere'),
      frames.basicAck(number, 2, true),
      frames.basicNack(number, 4),
      frames.basicAck(number, 3),
    );
    expect((await refused).fault).toMatchObject({ scope: 'operation', channel });
    await channel.waitForConfirms();
    expect(told).toEqual(['nowhere', ['ack', 2, true], ['nack', 4, false], ['ack', 3, false]]);
  });

  it('does not resolve waitForConfirms before the last one', async () => {
    const { connection, session } = await dialPeer();
    const channel = await connection.openConfirmChannel();
    channel.publish('', 'q', Buffer.from('x'));
    channel.publish('', 'q', Buffer.from('x'));
    const { channel: number } = await session.seen('basic.publish', 2);
    let resolved = false;
    const waiting = channel.waitForConfirms().finally(() => {
      resolved = true;
    });
    const acked = new Promise((resolve) => {
      channel.on('ack', resolve);
    });
    session.send(frames.basicAck(number, 2));
    await acked;
    await Promise.resolve();
    expect(resolved).toBe(false);
    session.send(frames.basicAck(number, 1));
    await waiting;
  });

  it('reports a listener that throws and tells the next one', async () => {
    const { connection, session, reported } = await dialPeer();
    const channel = await connection.openConfirmChannel();
    channel.on('ack', () => {
      throw new Error('listener');
    });
    const told = new Promise((resolve) => {
      channel.on('ack', resolve);
    });
    channel.publish('', 'q', Buffer.from('x'));
    const { channel: number } = await session.seen('basic.publish');
    session.send(frames.basicAck(number, 1));
    await told;
    expect(reported).toMatchObject([{ where: "channel 'ack' listener" }]);
    expect(channel.loss).toBeUndefined();
  });
});
