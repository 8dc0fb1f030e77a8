import { describe, expect, it } from 'vitest';
import { withoutConfirmBookkeeping } from '../../lib/amqp/amqplib.shapes.js';
import * as frames from '../kit/amqp-frames.js';
import { fires, openRaw, openRawConfirm, rawModel, rawOf } from '../kit/raw-amqplib.js';

type Numbered = Error & { code?: unknown; classId?: unknown; methodId?: unknown };
type Bookkeeping = { unconfirmed: unknown[] };

describe('when a broker closes a channel amqplib', () => {
  it('puts code, class and method on the outstanding RPC only, then emits error, then close', async () => {
    const { model } = await rawModel({
      'queue.declare': ({ channel }) => frames.channelClose(channel, 404, 'no', [50, 10]),
    });
    const channel = await openRaw(model);
    const log: unknown[] = [];
    const told = (name: string) => (error: Numbered) =>
      log.push([name, error.code, error.classId, error.methodId]);
    channel.on('error', told('error'));
    channel.on('close', () => log.push('close'));
    channel.checkQueue('a', told('outstanding'));
    channel.checkQueue('b', told('queued'));
    await fires(channel, 'close');
    expect(log).toEqual([
      ['outstanding', 404, 50, 10],
      ['error', 404, 50, 10],
      ['queued', undefined, undefined, undefined],
      'close',
    ]);
  });

  it('takes the whole connection down if that channel has no error listener', async () => {
    const { model, session } = await rawModel();
    await openRaw(model);
    const closed = fires(model, 'close');
    session.send(frames.channelClose(1, 404, 'no'));
    expect((await closed)[0]).toMatchObject({ code: 404 });
  });
});

describe('a listener that throws', () => {
  it('is told to handler-error of the channel, which goes on', async () => {
    const { model, session } = await rawModel();
    const channel = await openRaw(model);
    channel.on('drain', () => {});
    channel.on('cancel', () => {
      throw new Error('mine');
    });
    const reported = fires(channel, 'handler-error');
    channel.consume('q', () => {}, { consumerTag: 't' });
    await session.seen('basic.consume');
    session.send(frames.brokerCancel(1, 't'));
    expect((await reported)[0]).toMatchObject({ message: 'mine' });
  });

  it('of the model is told to handler-error of its connection, not of the model', async () => {
    const { model, session } = await rawModel();
    let onModel = 0;
    model.on('handler-error', () => {
      onModel += 1;
    });
    model.on('blocked', () => {
      throw new Error('mine');
    });
    const reported = fires(rawOf(model), 'handler-error');
    session.send(frames.connectionBlocked('memory'));
    expect((await reported)[0]).toMatchObject({ message: 'mine' });
    expect(onModel).toBe(0);
  });
});

describe('a message', () => {
  it('that comes back is told before its own confirm', async () => {
    const { model, session } = await rawModel();
    const channel = await openRawConfirm(model);
    const log: string[] = [];
    channel.on('return', () => log.push('return'));
    channel.on('ack', () => log.push('ack'));
    channel.publish('', 'q', Buffer.from('x'), { mandatory: true });
    await session.seen('basic.publish');
    const confirmed = fires(channel, 'ack');
    session.send(frames.basicReturn(1, 'q'), frames.basicAck(1, 1));
    await confirmed;
    expect(log).toEqual(['return', 'ack']);
  });

  it('is null for a consumer that the broker cancels', async () => {
    const { model, session } = await rawModel();
    const channel = await openRaw(model);
    const got = new Promise((resolve) => {
      channel.consume('q', resolve, { consumerTag: 't' });
    });
    await session.seen('basic.consume');
    const cancelled = fires(channel, 'cancel');
    session.send(frames.brokerCancel(1, 't'));
    expect(await got).toBeNull();
    expect(await cancelled).toMatchObject([{ consumerTag: 't' }]);
  });

  it('that cannot be encoded throws before it takes a number', async () => {
    const { model } = await rawModel();
    const channel = await openRawConfirm(model);
    const headers = { n: 1n };
    expect(() => channel.publish('', 'q', Buffer.from('x'), { headers })).toThrow(
      /BigInt|bigint|type/u,
    );
    expect((channel as unknown as Bookkeeping).unconfirmed).toHaveLength(0);
  });
});

/** What amqplib still holds after `count` publishes and these confirms. */
const acked = async (confirms: [tag: number, multiple: boolean][], count: number) => {
  const { model, session } = await rawModel();
  const channel = await openRawConfirm(model);
  for (let n = 0; n < count; n += 1) channel.publish('', 'q', Buffer.from('x'));
  await session.seen('basic.publish', count);
  let seen = 0;
  const all = new Promise<void>((resolve) => {
    channel.on('ack', () => {
      seen += 1;
      if (seen === confirms.length) resolve();
    });
  });
  session.send(...confirms.map(([tag, multiple]) => frames.basicAck(1, tag, multiple)));
  await all;
  return (channel as unknown as Bookkeeping).unconfirmed.length;
};

describe('amqplib’s bookkeeping of confirms', () => {
  it('holds one entry a publish without callback, until it is confirmed in order', async () => {
    expect(await acked([[1, false]], 3)).toBe(2);
    expect(await acked([[3, true]], 3)).toBe(0);
  });

  it('never empties again after 4, then up to 3: so we leave it out', async () => {
    const rest = Array.from({ length: 96 }, (_, index): [number, boolean] => [index + 5, false]);
    expect(await acked([[4, false], [3, true], ...rest], 100)).toBeGreaterThan(90);
  });

  it('is left out by the publish of the plain channel that its class extends', async () => {
    const { model } = await rawModel();
    const channel = await openRawConfirm(model);
    const plain = Object.getPrototypeOf(Object.getPrototypeOf(channel)) as typeof channel;
    expect(Object.getPrototypeOf(await openRaw(model))).toBe(plain);
    plain.publish.call(channel, '', 'q', Buffer.from('x'));
    expect((channel as unknown as Bookkeeping).unconfirmed).toHaveLength(0);
    expect(channel.listenerCount('ack')).toBe(1);
  });

  it('is empty for good once we took it off', async () => {
    const { model, session } = await rawModel();
    const channel = await openRawConfirm(model);
    const publish = withoutConfirmBookkeeping(channel);
    for (let n = 0; n < 4; n += 1) publish('', 'q', Buffer.from('x'));
    await session.seen('basic.publish', 4);
    const confirmed = fires(channel, 'ack');
    session.send(frames.basicAck(1, 4));
    await confirmed;
    expect((channel as unknown as Bookkeeping).unconfirmed).toHaveLength(0);
  });
});
