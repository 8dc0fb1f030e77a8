import { once } from 'node:events';
import { createRequire } from 'node:module';
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { dialledSocket } from '../../lib/amqp/dialled-socket.js';
import type { Broker } from '../../lib/amqp/broker.js';
import { dialThroughGate } from '../../lib/amqp/open-gate.js';
import type { ConnectError } from '../../lib/errors.js';
import * as frames from '../kit/amqp-frames.js';
import { brokerAt, dial, rejection } from '../kit/dial.js';
import { ScriptedPeer } from '../kit/scripted-peer.js';
import type { Script } from '../kit/scripted-peer.js';
import { selfSigned } from '../kit/self-signed.js';

const { key, cert } = selfSigned();

async function peerOver(secure: boolean, script: Script = {}): Promise<ScriptedPeer> {
  const peer = await ScriptedPeer.listen(script, secure ? { key, cert } : undefined);
  onTestFinished(() => peer.close());
  return peer;
}

const brokerOver = (secure: boolean, port: number, options: ConnectionOptions = {}): Broker =>
  secure
    ? brokerAt(port, { protocol: 'amqps', tls: { ca: cert, servername: 'localhost', ...options } })
    : brokerAt(port);

const TAILS: [string, Buffer][] = [
  ['a forced close', frames.connectionClose(320, 'bye')],
  ['a fatal close', frames.connectionClose(541, 'oops')],
  ['garbage', Buffer.from('GARBAGE GARBAGE GARBAGE GARBAGE')],
  ['a frame of unknown type', frames.frame(9, 0, Buffer.from('xx'))],
  ['a frame on channel 5', frames.channelClose(5, 404, 'NOT_FOUND', [20, 10])],
  ["a channel's method on channel 0", frames.channelOpenOk(0)],
  ['an unknown method', frames.method(0, [99, 99])],
  ['a second open-ok', frames.connectionOpenOk()],
  ['a truncated method', frames.frame(1, 0, Buffer.from([0, 10]))],
];

describe.each([
  ['TCP', false],
  ['TLS', true],
])('over %s, what comes together with open-ok', (_name, secure) => {
  it.each(TAILS)('ends that dial only: %s', async (_tail, tail) => {
    const peer = await peerOver(secure, {
      'connection.open': () => Buffer.concat([frames.connectionOpenOk(), tail]),
    });
    const error = await rejection<ConnectError>(dial(brokerOver(secure, peer.port)));
    expect(error).toMatchObject({ name: 'ConnectError', reason: 'unreachable' });
  });

  it.each(TAILS)('ends that dial only when the peer hangs up as well: %s', async (_tail, tail) => {
    const peer = await peerOver(secure, {
      'connection.open': (_frame, { socket }) => {
        socket.end(Buffer.concat([frames.connectionOpenOk(), tail]));
        return undefined;
      },
    });
    const error = await rejection<ConnectError>(dial(brokerOver(secure, peer.port)));
    expect(error).toMatchObject({ name: 'ConnectError', reason: 'unreachable' });
  });

  it('is not lost', async () => {
    const peer = await peerOver(secure, {
      'connection.open': () =>
        Buffer.concat([frames.connectionOpenOk(), frames.connectionBlocked('low on memory')]),
    });
    const { connection } = await dial(brokerOver(secure, peer.port));
    expect(connection.blocked).toBe('low on memory');
  });

  it('is awaited no longer after a refusal and a hang-up in one write', async () => {
    const peer = await peerOver(secure, {
      'connection.start-ok': (_frame, { socket }) => {
        socket.end(frames.connectionClose(403, 'ACCESS_REFUSED - Login was refused'));
        return undefined;
      },
    });
    const error = await rejection<ConnectError>(dial(brokerOver(secure, peer.port)));
    expect(error).toMatchObject({ name: 'ConnectError', reason: 'refused' });
  });
});

describe('a connection over TLS', () => {
  it('opens channels', async () => {
    const peer = await peerOver(true);
    const { connection } = await dial(brokerOver(true, peer.port));
    await connection.openChannel();
    await connection.openConfirmChannel();
    expect((await peer.session()).count('channel.open')).toBe(2);
  });

  it('survives a handshake that comes one byte at a time', async () => {
    const peer = await peerOver(true, {
      'connection.start-ok': (_frame, { socket }) => {
        for (const byte of frames.connectionTune()) socket.write(frames.octet(byte));
        return undefined;
      },
    });
    const { connection } = await dial(brokerOver(true, peer.port));
    expect(connection.loss).toBeUndefined();
  });

  it('is the gated one, and not what its lookup dials meanwhile', async () => {
    const other = await peerOver(false);
    const peer = await peerOver(true, {
      'connection.open': () =>
        Buffer.concat([frames.connectionOpenOk(), frames.connectionClose(541, 'oops')]),
    });
    const lookup: ConnectionOptions['lookup'] = (_host, _options, found) => {
      const inner = connectTcp(other.port, '127.0.0.1');
      onTestFinished(() => void inner.destroy());
      found(null, [{ address: '127.0.0.1', family: 4 }]);
    };
    const broker = brokerAt(peer.port, {
      hostname: 'localhost',
      protocol: 'amqps',
      tls: { ca: cert, lookup },
    });
    const error = await rejection<ConnectError>(dial(broker));
    expect(error).toMatchObject({ name: 'ConnectError', reason: 'unreachable' });
  });
});

it('the gate keeps what it has when Node asks for more', async () => {
  const peer = await peerOver(false);
  let socket: Socket | undefined;
  dialThroughGate(() => {
    socket = connectTcp(peer.port, '127.0.0.1');
  });
  onTestFinished(() => void socket?.destroy());
  const readable = once(socket!, 'readable');
  (await peer.session()).send(frames.connectionTune());
  await readable;
  expect(socket?.read(0)).toBeNull();
  expect(socket?.read()).toEqual(frames.connectionTune());
});

describe('tls.connect', () => {
  const shared = createRequire(import.meta.url)('node:tls') as typeof tls;
  const { connect } = shared;

  it('is as before once a dial has returned', async () => {
    const peer = await peerOver(true);
    const socket = dialledSocket(() => void tls.connect({ port: peer.port, ca: cert }));
    onTestFinished(() => void socket?.destroy());
    expect(socket).toBeInstanceOf(tls.TLSSocket);
    expect(shared.connect).toBe(connect);
    dialledSocket(() => expect(shared.connect).not.toBe(connect));
    expect(shared.connect).toBe(connect);
  });

  it('is as before once a dial has thrown', () => {
    const failure = new Error('no such option');
    const fail = (): void => {
      throw failure;
    };
    expect(() => dialledSocket(fail)).toThrow(failure);
    expect(shared.connect).toBe(connect);
  });
});
