import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { AmqpError } from '../../lib/errors.js';
import * as frames from '../kit/amqp-frames.js';
import { dialPeer, rejection } from '../kit/dial.js';
import { silence } from '../kit/scripted-peer.js';
import type { PeerSession } from '../kit/scripted-peer.js';
import { socketClosed } from '../kit/socket-closed.js';

const gone = async (session: PeerSession): Promise<void> => {
  await socketClosed(session.socket);
};

describe('closing a connection', () => {
  it('sends what its channels still hold before the closing handshake', async () => {
    const { connection, session, clock } = await dialPeer();
    const channel = await connection.openChannel();
    for (let n = 0; n < 50; n += 1) channel.publish('', 'q', Buffer.from('x'));
    await connection.close();
    await gone(session);
    const names = session.received.map((frame) => frame.method);
    expect(session.count('basic.publish')).toBe(50);
    expect(names.indexOf('connection.close')).toBeGreaterThan(names.lastIndexOf('basic.publish'));
    expect(connection.loss?.fault).toMatchObject({ scope: 'connection', code: undefined });
    expect(channel.loss).toBeDefined();
    expect(clock.pending).toBe(0);
  });

  it('twice at once is one handshake', async () => {
    const { connection, session } = await dialPeer();
    await Promise.all([connection.close(), connection.close()]);
    await connection.close();
    expect(session.count('connection.close')).toBe(1);
  });

  it.each(['connection.close', 'channel.close'])(
    'is over after closeTimeout when %s is never answered',
    async (name) => {
      const { connection, session, clock } = await dialPeer(
        { [name]: silence },
        { closeTimeout: 40 },
      );
      await connection.close();
      await gone(session);
      expect(connection.loss).toBeDefined();
      expect(clock.pending).toBe(0);
    },
  );

  it('is over when the peer dies meanwhile', async () => {
    const { connection, clock } = await dialPeer(
      {
        'connection.close': (_frame, { socket }) => {
          socket.resetAndDestroy();
          return undefined;
        },
      },
      { closeTimeout: 60_000 },
    );
    await connection.close();
    expect(clock.pending).toBe(0);
  });

  it('does not wait for a broker that blocks', async () => {
    const { connection, session, clock } = await dialPeer(
      { 'connection.close': silence, 'channel.close': silence },
      { closeTimeout: 60_000 },
    );
    const blocked = new Promise((resolve) => {
      connection.onBlocked(resolve);
    });
    session.send(frames.connectionBlocked('memory'));
    await blocked;
    await connection.close();
    await gone(session);
    expect(clock.pending).toBe(0);
  });

  it('fails what is pending on it', async () => {
    const { connection, session } = await dialPeer({ 'queue.declare': silence });
    const channel = await connection.openChannel();
    const pending = rejection<AmqpError>(channel.assertQueue('q'));
    await session.seen('queue.declare');
    await connection.close();
    expect(['channel', 'connection']).toContain((await pending).fault.scope);
  });
});

describe('what is shown of a channel', () => {
  it('leads nowhere near its socket', async () => {
    const { connection } = await dialPeer();
    const channel = await connection.openConfirmChannel();
    expect(inspect(channel)).toMatch(/^AmqplibConfirmChannel \{ amqp:.*, open \}$/u);
    expect(JSON.stringify([connection, channel])).not.toMatch(/s3cr3t-p4ss|stream|_events/u);
  });
});

describe('closing a channel', () => {
  it('flushes what was written and leaves the connection open', async () => {
    const { connection, session, clock } = await dialPeer();
    const channel = await connection.openChannel();
    const closed = new Promise((resolve) => {
      channel.on('close', resolve);
    });
    for (let n = 0; n < 50; n += 1) channel.publish('', 'q', Buffer.from('x'));
    await Promise.all([channel.close(), channel.close()]);
    expect(await closed).toBe(channel.loss);
    expect(session.count('basic.publish')).toBe(50);
    expect(session.count('channel.close')).toBe(1);
    expect(connection.loss).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  it('refuses operations meanwhile', async () => {
    const { connection } = await dialPeer();
    const channel = await connection.openConfirmChannel();
    const closing = channel.close();
    expect(() => channel.publish('', 'q', Buffer.from('x'))).toThrow(/is being closed/u);
    expect((await rejection<AmqpError>(channel.prefetch(1))).fault.scope).toBe('channel');
    await closing;
  });

  it('is over after closeTimeout when it is never answered', async () => {
    const { connection, clock } = await dialPeer(
      { 'channel.close': silence },
      { closeTimeout: 40 },
    );
    const channel = await connection.openConfirmChannel();
    channel.publish('', 'q', Buffer.from('x'));
    const confirms = rejection<AmqpError>(channel.waitForConfirms());
    await channel.close();
    expect((await confirms).fault.scope).toBe('channel');
    expect(connection.loss).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  it('is over when the connection dies meanwhile', async () => {
    const { connection, clock } = await dialPeer(
      {
        'channel.close': (_frame, { socket }) => {
          socket.resetAndDestroy();
          return undefined;
        },
      },
      { closeTimeout: 60_000 },
    );
    const channel = await connection.openChannel();
    await channel.close();
    expect(channel.loss?.fault.scope).toBe('connection');
    expect(clock.pending).toBe(0);
  });
});
