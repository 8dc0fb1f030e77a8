import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ConnectError } from '../../lib/errors.js';
import * as frames from '../kit/amqp-frames.js';
import { brokerAt, dial, dialPeer, rejection, usePeer } from '../kit/dial.js';
import { silence } from '../kit/scripted-peer.js';
import type { Script } from '../kit/scripted-peer.js';
import { socketClosed } from '../kit/socket-closed.js';

async function listen(
  onSocket: (socket: Socket) => void,
): Promise<{ port: number; server: Server }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server };
}

async function closedPort(): Promise<number> {
  const { port, server } = await listen(() => {});
  server.close();
  await once(server, 'close');
  return port;
}

describe('a connection opens', () => {
  it('with the login, virtual host, heartbeat and name of its broker', async () => {
    const peer = await usePeer();
    const broker = brokerAt(peer.port, { username: 'jürgen', password: 'pä%ss#', vhost: 'a%2f/b' });
    const { connection } = await dial(broker, {
      heartbeat: 4_200,
      connectionName: 'shop: consumer',
    });
    const session = await peer.session();
    const startOk = await session.seen('connection.start-ok');
    expect(startOk.bytes.includes(Buffer.from('\0jürgen\0pä%ss#'))).toBe(true);
    expect(startOk.bytes.includes(Buffer.from('shop: consumer'))).toBe(true);
    expect((await session.seen('connection.tune-ok')).fields.heartbeat).toBe(5);
    expect((await session.seen('connection.open')).fields.virtualHost).toBe('a%2f/b');
    expect(connection.serverProperties).toEqual({
      product: 'Scripted',
      version: '1',
      clusterName: 'c1',
    });
    expect(inspect(connection)).toBe(`BrokerConnection { ${broker.toString()}, open }`);
  });

  it('with EXTERNAL when the broker knows us by our certificate', async () => {
    const peer = await usePeer();
    await dial(brokerAt(peer.port, { authMechanism: 'external' }));
    const startOk = await (await peer.session()).seen('connection.start-ok');
    expect(startOk.bytes.includes(Buffer.from('EXTERNAL'))).toBe(true);
    expect(startOk.bytes.includes(Buffer.from('s3cr3t-p4ss'))).toBe(false);
  });

  it('with the password that a function gives', async () => {
    const peer = await usePeer();
    await dial(brokerAt(peer.port, { password: () => Promise.resolve('t0ken') }));
    const startOk = await (await peer.session()).seen('connection.start-ok');
    expect(startOk.bytes.includes(Buffer.from('\0t0ken'))).toBe(true);
  });

  it('only after a first RPC, whose channel the first openChannel gets', async () => {
    const { connection, session, clock } = await dialPeer();
    expect(session.count('channel.open')).toBe(1);
    await connection.openChannel();
    expect(session.count('channel.open')).toBe(1);
    await connection.openChannel();
    expect(session.count('channel.open')).toBe(2);
    expect(clock.pending).toBe(0);
  });

  it('and frames that came together with open-ok are not lost', async () => {
    const { connection } = await dialPeer({
      'connection.open': () =>
        Buffer.concat([frames.connectionOpenOk(), frames.connectionBlocked('low on memory')]),
    });
    expect(connection.blocked).toBe('low on memory');
  });
});

describe('a failed dial says why', () => {
  const scripted: [string, Script, ConnectError['reason'], RegExp][] = [
    [
      'a refused login',
      {
        'connection.start-ok': () =>
          frames.connectionClose(403, 'ACCESS_REFUSED - Login was refused'),
      },
      'refused',
      /refused the login of user "guest"/u,
    ],
    [
      'a missing virtual host',
      { 'connection.open': () => frames.connectionClose(530, 'NOT_ALLOWED - vhost / not found') },
      'refused',
      /refused to open virtual host "\/"/u,
    ],
    [
      'a login mechanism that is not offered',
      { 'protocol-header': () => frames.connectionStart('AMQPLAIN') },
      'refused',
      /authMechanism/u,
    ],
    [
      'another protocol version',
      { 'protocol-header': () => Buffer.from('AMQP\0\0\x09\0') },
      'protocol',
      /does not speak AMQP 0-9-1/u,
    ],
    [
      'HTTP',
      { 'protocol-header': () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') },
      'protocol',
      /15672 is HTTP/u,
    ],
    [
      'words that are not known',
      { 'connection.start-ok': () => frames.channelOpenOk(0) },
      'refused',
      /refused us while opening/u,
    ],
    [
      'a socket closed during the handshake',
      {
        'protocol-header': (_frame, session) => {
          session.socket.end();
          return undefined;
        },
      },
      'unreachable',
      /closed the socket during the handshake/u,
    ],
    [
      'a reset during the handshake',
      {
        'protocol-header': (_frame, session) => {
          session.socket.resetAndDestroy();
          return undefined;
        },
      },
      'unreachable',
      /ECONNRESET/u,
    ],
    [
      'open-ok and a forced close in one segment',
      {
        'connection.open': () =>
          Buffer.concat([frames.connectionOpenOk(), frames.connectionClose(320, 'bye')]),
      },
      'unreachable',
      /did not serve it/u,
    ],
    [
      'open-ok and a fatal close in one segment, which would end the process without the gate',
      {
        'connection.open': () =>
          Buffer.concat([frames.connectionOpenOk(), frames.connectionClose(541, 'oops')]),
      },
      'unreachable',
      /541/u,
    ],
    [
      'a first RPC that is refused',
      { 'channel.open': () => frames.connectionClose(530, 'channel limit') },
      'refused',
      /did not serve it/u,
    ],
  ];
  it.each(scripted)('%s', async (_name, script, reason, text) => {
    const peer = await usePeer(script);
    const error = await rejection<ConnectError>(dial(brokerAt(peer.port)));
    expect(error).toMatchObject({ name: 'ConnectError', reason });
    expect(error.message).toMatch(text);
    expect(error.cause).toBeInstanceOf(Error);
    expect(inspect(error, { depth: 9 })).not.toContain('s3cr3t-p4ss');
    expect(error.broker).toBe(`amqp://guest:**@127.0.0.1:${peer.port}/%2F`);
  });

  it('a first channel that is refused, and drops the connection', async () => {
    const peer = await usePeer({
      'channel.open': ({ channel }) => frames.channelClose(channel, 504, 'no', [20, 10]),
    });
    const error = await rejection<ConnectError>(dial(brokerAt(peer.port)));
    expect(error).toMatchObject({ reason: 'refused' });
    const { socket } = await peer.session();
    await socketClosed(socket);
  });

  it('nobody listens', async () => {
    const error = await rejection<ConnectError>(dial(brokerAt(await closedPort())));
    expect(error).toMatchObject({ reason: 'unreachable' });
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('a name that does not resolve', async () => {
    const broker = brokerAt(5672, { hostname: 'no-such-host.invalid' });
    expect(await rejection<ConnectError>(dial(broker))).toMatchObject({ reason: 'unreachable' });
  });

  it('TLS to a port that does not speak it', async () => {
    const peer = await listen((socket) => socket.write('AMQP\0\0\x09\x01'));
    const broker = brokerAt(peer.port, { protocol: 'amqps', tls: {} });
    expect(await rejection<ConnectError>(dial(broker))).toMatchObject({ reason: 'tls' });
  });

  it('a password function that fails', async () => {
    const failure = new Error('vault sealed: s3cr3t-p4ss');
    const broker = brokerAt(5672, { password: () => Promise.reject(failure) });
    const error = await rejection<ConnectError>(dial(broker));
    expect(error).toMatchObject({ reason: 'unreachable', cause: failure });
    expect(error.message).not.toContain('s3cr3t-p4ss');
  });
});

describe('the dial deadline', () => {
  it.each([
    ['a host that accepts and stays silent', {}],
    ['a TLS handshake that is never answered', { protocol: 'amqps', tls: {} }],
  ] as const)('ends %s', async (_name, address) => {
    let closed: Promise<unknown> | undefined;
    const { port } = await listen((socket) => {
      closed = socketClosed(socket.resume());
    });
    const error = await rejection<ConnectError>(
      dial(brokerAt(port, address), { connectTimeout: 60 }),
    );
    expect(error).toMatchObject({ reason: 'timeout' });
    await closed;
  });

  it('ends a handshake that drips', async () => {
    const start = frames.connectionStart();
    let closed: Promise<unknown> | undefined;
    const { port } = await listen((socket) => {
      let sent = 0;
      const drip = setInterval(() => {
        socket.write(start.subarray(sent, sent + 1));
        sent += 1;
      }, 10);
      socket.on('close', () => clearInterval(drip));
      closed = socketClosed(socket.resume());
    });
    const error = await rejection<ConnectError>(dial(brokerAt(port), { connectTimeout: 80 }));
    expect(error).toMatchObject({ reason: 'timeout' });
    await closed;
  });

  it('covers the first RPC, and drops the connection that comes too late', async () => {
    const peer = await usePeer({ 'channel.open': silence });
    const error = await rejection<ConnectError>(dial(brokerAt(peer.port), { connectTimeout: 60 }));
    expect(error).toMatchObject({ reason: 'timeout' });
    await socketClosed((await peer.session()).socket);
  });

  it("is the broker's own when it has one", async () => {
    const peer = await usePeer({ 'protocol-header': silence });
    const broker = brokerAt(peer.port, { connectTimeout: 30 });
    const error = await rejection<ConnectError>(dial(broker, { connectTimeout: 60_000 }));
    expect(error.message).toContain('30 ms');
  });

  it('bounds a password function that hangs', async () => {
    const broker = brokerAt(5672, { password: () => new Promise(() => {}) });
    const error = await rejection<ConnectError>(dial(broker, { connectTimeout: 30 }));
    expect(error).toMatchObject({ reason: 'timeout' });
  });
});

describe("the caller's signal", () => {
  it('ends an attempt', async () => {
    const peer = await usePeer({ 'connection.start-ok': silence });
    const caller = new AbortController();
    const dialled = rejection<ConnectError>(dial(brokerAt(peer.port), { signal: caller.signal }));
    const session = await peer.session();
    await session.seen('connection.start-ok');
    const reason = new Error('stopping');
    caller.abort(reason);
    expect((await dialled).cause).toBe(reason);
    await socketClosed(session.socket);
  });

  it('that is aborted already dials nobody', async () => {
    const peer = await usePeer();
    await rejection(dial(brokerAt(peer.port), { signal: AbortSignal.abort() }));
    expect(peer.sessions).toHaveLength(0);
  });

  it('has no effect on an open connection', async () => {
    const caller = new AbortController();
    const { connection } = await dialPeer({}, { signal: caller.signal });
    caller.abort();
    await connection.openConfirmChannel();
    expect(connection.loss).toBeUndefined();
  });
});
