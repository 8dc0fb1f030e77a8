import type { EventEmitter } from 'node:events';
import { IllegalOperationError } from 'amqplib/callback_api';
import { describe, expect, it } from 'vitest';
import * as frames from '../kit/amqp-frames.js';
import { fires, openRaw, openRawConfirm, rawModel, rawOf } from '../kit/raw-amqplib.js';
import { silence } from '../kit/scripted-peer.js';
import type { PeerSession } from '../kit/scripted-peer.js';

const record = (emitter: EventEmitter, name: string, events: string[], log: unknown[]): void => {
  for (const event of events) {
    emitter.on(event, (error?: { code?: unknown }) => log.push([`${name} ${event}`, error?.code]));
  }
};

const deaths: [string, (session: PeerSession) => void, unknown, boolean][] = [
  ['a reset', ({ socket }) => socket.resetAndDestroy(), 'ECONNRESET', true],
  ['an end of the stream', ({ socket }) => socket.end(), undefined, true],
  ['a close with 320', (session) => session.send(frames.connectionClose(320, 'x')), 320, false],
  ['a close with 200', (session) => session.send(frames.connectionClose(200, 'x')), 200, false],
  ['a close with 541', (session) => session.send(frames.connectionClose(541, 'x')), 541, true],
];

describe.each(deaths)('on %s amqplib', (_name, kill, code, withError) => {
  it('fails confirms and RPCs without a code, in one call stack with the events, and before the close', async () => {
    const { model, session } = await rawModel({ 'queue.declare': silence });
    const channel = await openRawConfirm(model);
    const log: unknown[] = [];
    record(rawOf(model), 'connection', ['error', 'close'], log);
    record(channel, 'channel', ['error', 'close'], log);
    channel.publish('', 'q', Buffer.from('x'), {}, (error) =>
      log.push(['confirm', (error as { code?: unknown }).code]),
    );
    channel.assertQueue('a', {}, (error) => {
      log.push(['rpc', (error as { code?: unknown }).code]);
      queueMicrotask(() => log.push('microtask'));
    });
    channel.assertQueue('b', {}, (error) =>
      log.push(['queued rpc', (error as { code?: unknown }).code]),
    );
    await session.seen('basic.publish');
    await session.seen('queue.declare');
    const closed = fires(model, 'close');
    kill(session);
    await closed;
    await new Promise(setImmediate);
    expect(log).toEqual([
      ...(withError ? [['connection error', code]] : []),
      ['rpc', undefined],
      ['queued rpc', undefined],
      ['confirm', undefined],
      ['channel close', undefined],
      ['connection close', code],
      'microtask',
    ]);
  });
});

describe('after a loss amqplib', () => {
  it('throws IllegalOperationError from publish, ack and createChannel', async () => {
    const { model, session } = await rawModel();
    const channel = await openRaw(model);
    session.send(frames.connectionClose(320, 'bye'));
    await fires(model, 'close');
    expect(() => channel.publish('', 'q', Buffer.from('x'))).toThrow(IllegalOperationError);
    expect(() => channel.ack({ fields: { deliveryTag: 1 } } as never)).toThrow(
      IllegalOperationError,
    );
    expect(() => channel.assertQueue('q')).toThrow(IllegalOperationError);
    expect(() => model.createChannel(() => {})).toThrow(IllegalOperationError);
  });

  it('only ends the socket, and leaves it half open', async () => {
    const { model, session } = await rawModel();
    session.socket.pause();
    const frameError = new Error('as a bad frame or a missed heartbeat would');
    rawOf(model).emit('frameError', frameError);
    expect(rawOf(model).stream.destroyed).toBe(false);
  });

  it('emits no error on a channel for the loss of its connection', async () => {
    const { model, session } = await rawModel();
    const channel = await openRaw(model);
    let errors = 0;
    channel.on('error', () => {
      errors += 1;
    });
    session.socket.resetAndDestroy();
    await fires(model, 'close');
    expect(errors).toBe(0);
  });
});

describe('amqplib never calls back', () => {
  it('a connection.close whose peer dies', async () => {
    const { model, session } = await rawModel({ 'connection.close': silence });
    let called = false;
    model.close(() => {
      called = true;
    });
    await session.seen('connection.close');
    session.socket.resetAndDestroy();
    await fires(model, 'close');
    await new Promise(setImmediate);
    expect(called).toBe(false);
  });

  it('a channel.close whose connection dies', async () => {
    const { model, session } = await rawModel({ 'channel.close': silence });
    const channel = await openRaw(model);
    let called = false;
    channel.close(() => {
      called = true;
    });
    await session.seen('channel.close');
    session.socket.resetAndDestroy();
    await fires(model, 'close');
    await new Promise(setImmediate);
    expect(called).toBe(false);
  });

  it('anything, when its socket is destroyed without an error', async () => {
    const { model } = await rawModel();
    const channel = await openRaw(model);
    let closed = false;
    model.on('close', () => {
      closed = true;
    });
    const socketClosed = fires(rawOf(model).stream, 'close');
    rawOf(model).stream.destroy();
    await socketClosed;
    expect(closed).toBe(false);
    expect(channel.publish('', 'q', Buffer.from('x'))).toBe(true);
  });

  it('but does when it is destroyed with one', async () => {
    const { model } = await rawModel();
    const closed = fires(model, 'close');
    const reason = new Error('mine');
    rawOf(model).stream.destroy(reason);
    expect(await closed).toEqual([reason]);
  });
});

describe('closing with amqplib', () => {
  it('tells close without an error', async () => {
    const { model } = await rawModel();
    const closed = fires(model, 'close');
    model.close();
    expect(await closed).toEqual([undefined]);
  });

  it('a second time throws while the first is under way', async () => {
    const { model } = await rawModel({ 'connection.close': silence });
    model.close();
    expect(() => model.close()).toThrow(IllegalOperationError);
  });

  it('while it is blocked is over at once', async () => {
    const { model, session } = await rawModel({ 'connection.close': silence });
    session.send(frames.connectionBlocked('memory'));
    await fires(model, 'blocked');
    const closed = fires(model, 'close');
    model.close();
    expect(await closed).toEqual([undefined]);
  });

  it('a connection overtakes what its channels have written', async () => {
    const { model, session } = await rawModel();
    const channel = await openRaw(model);
    channel.publish('', 'q', Buffer.from('x'));
    model.close();
    await session.seen('basic.publish');
    const names = session.received.map((frame) => frame.method);
    expect(names.indexOf('connection.close')).toBeLessThan(names.indexOf('basic.publish'));
  });
});
