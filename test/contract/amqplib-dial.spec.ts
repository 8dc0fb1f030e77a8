import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { credentials } from 'amqplib/callback_api';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as frames from '../kit/amqp-frames.js';
import { usePeer } from '../kit/dial.js';
import { fires, openRaw, rawDial, rawModel, rawOf } from '../kit/raw-amqplib.js';
import { silence } from '../kit/scripted-peer.js';
import type { Script } from '../kit/scripted-peer.js';
import { socketClosed } from '../kit/socket-closed.js';

const failure = async (script: Script) => {
  const peer = await usePeer(script);
  return rawDial({ hostname: '127.0.0.1', port: peer.port });
};

describe('amqplib says of a failed handshake', () => {
  it.each<[string, Script, string]>([
    [
      'a refused login',
      { 'connection.start-ok': () => frames.connectionClose(403, 'no') },
      'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "no"',
    ],
    [
      'a refused virtual host, whose reason it loses',
      { 'connection.open': () => frames.connectionClose(530, 'no') },
      'Expected ConnectionOpenOk; got <ConnectionClose channel:0>',
    ],
    [
      'a mechanism that is not offered',
      { 'protocol-header': () => frames.connectionStart('X') },
      'SASL mechanism PLAIN is not provided by the server',
    ],
    [
      'another protocol version',
      { 'protocol-header': () => Buffer.from('AMQP\0\0\x09\0') },
      'Frame size 1342177289 exceeds maxFrameSize 67108864',
    ],
    [
      'HTTP',
      { 'protocol-header': () => Buffer.from('HTTP/1.1 400 Bad Request\r\n') },
      'Frame size 1345270062 exceeds maxFrameSize 67108864',
    ],
    [
      'another frame than connection.start',
      { 'protocol-header': () => frames.connectionTune() },
      'Expected ConnectionStart; got <ConnectionTune channel:0>',
    ],
    [
      'an end of the stream',
      {
        'protocol-header': (_frame, { socket }) => {
          socket.end();
          return undefined;
        },
      },
      'Socket closed abruptly during opening handshake',
    ],
  ])('%s', async (_name, script, words) => {
    const { error } = await failure(script);
    expect(error?.message).toBe(words);
    expect(error?.code).toBeUndefined();
  });
});

async function abortedDial(onSocket: (socket: Socket) => void, address: object): Promise<unknown> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    onSocket(socket);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const abort = new AbortController();
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const dialled = rawDial({ hostname: '127.0.0.1', port, ...address }, { signal: abort.signal });
  const [socket] = await accepted;
  const closed = socketClosed(socket.resume());
  abort.abort();
  await closed;
  return (await dialled).error;
}

const aborted = { name: 'AbortError' };
const neverFound = (): void => {};

describe('the signal option of amqplib’s socket', () => {
  it('ends a dial that waits for the handshake', async () => {
    expect(await abortedDial(() => {}, {})).toMatchObject(aborted);
  });

  it('ends a TLS handshake', async () => {
    expect(await abortedDial(() => {}, { protocol: 'amqps' })).toMatchObject(aborted);
  });

  it('ends a handshake that drips', async () => {
    const error = await abortedDial((socket) => {
      let sent = 0;
      const start = frames.connectionStart();
      const drip = setInterval(() => socket.write(start.subarray(sent, ++sent)), 5);
      socket.on('close', () => clearInterval(drip));
    }, {});
    expect(error).toMatchObject(aborted);
  });

  it('ends a TCP connect', async () => {
    const abort = new AbortController();
    const dialled = rawDial(
      { hostname: 'rabbit', port: 5672 },
      { signal: abort.signal, lookup: neverFound },
    );
    abort.abort();
    expect((await dialled).error).toMatchObject({ name: 'AbortError' });
  });

  it('stays on the open socket, so it must not be aborted later', async () => {
    const peer = await usePeer();
    const abort = new AbortController();
    const address = { hostname: '127.0.0.1', port: peer.port };
    const { model } = await rawDial(address, { signal: abort.signal });
    const closed = fires(model, 'close');
    abort.abort();
    expect((await closed)[0]).toMatchObject(aborted);
  });
});

const startOk = async (url: (port: number) => Parameters<typeof rawDial>[0], options = {}) => {
  const peer = await usePeer({ 'connection.start-ok': silence });
  void rawDial(url(peer.port), options);
  return (await (await peer.session()).seen('connection.start-ok')).bytes;
};

describe('the address given to amqplib', () => {
  it('as a URL garbles a password that is not ASCII', async () => {
    const bytes = await startOk((port) => `amqp://u:p%C3%A4ss@127.0.0.1:${port}`);
    expect(bytes.includes(Buffer.from('p\u00c3\u00a4ss'))).toBe(true);
    expect(bytes.includes(Buffer.from('\0päss'))).toBe(false);
  });

  it('takes its login from the socket options', async () => {
    const bytes = await startOk((port) => ({ hostname: '127.0.0.1', port, username: 'ignored' }), {
      credentials: credentials.plain('u', 'päss'),
    });
    expect(bytes.includes(Buffer.from('\0u\0päss'))).toBe(true);
  });

  it('is percent-decoded at its virtual host, in the object form too', async () => {
    const { session } = await rawModel({}, { vhost: 'a%2Fb' });
    expect((await session.seen('connection.open')).fields.virtualHost).toBe('a/b');
  });

  it('means seconds by heartbeat', async () => {
    const { session } = await rawModel({}, { heartbeat: 7 });
    expect((await session.seen('connection.tune-ok')).fields.heartbeat).toBe(7);
  });
});

describe('amqplib’s callback API', () => {
  it('returns a channel at once, so that listeners come first', async () => {
    const { model } = await rawModel({ 'channel.open': silence });
    let called = false;
    const channel = model.createChannel(() => {
      called = true;
    });
    expect(channel.listenerCount('error')).toBe(0);
    expect(called).toBe(false);
  });

  it('calls back before it returns when no channel number is left', async () => {
    const { model } = await rawModel({ 'connection.start-ok': () => frames.connectionTune(60, 1) });
    await openRaw(model);
    let told: Error | undefined;
    model.createChannel((error) => {
      told = error;
    });
    expect(told?.message).toBe('No channels left to allocate');
  });

  it('hands over a dead model when open-ok and a close come in one segment', async () => {
    const peer = await usePeer({
      'connection.open': () =>
        Buffer.concat([frames.connectionOpenOk(), frames.connectionClose(320, 'bye')]),
    });
    const { error, model } = await rawDial({ hostname: '127.0.0.1', port: peer.port });
    expect(error).toBeNull();
    expect(() => model.createChannel(() => {})).toThrow(/320/u);
  });

  it('keeps its socket at connection.stream, and what the broker says of itself', async () => {
    const { model } = await rawModel();
    expect(rawOf(model).stream.destroy).toBeTypeOf('function');
    expect(model.connection.serverProperties['cluster_name']).toBe('c1');
  });
});
