import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { AmqpError } from '../../lib/errors.js';
import { isAmqpError } from '../../lib/errors.js';
import * as frames from '../kit/amqp-frames.js';
import { dialPeer, rejection } from '../kit/dial.js';
import { silence } from '../kit/scripted-peer.js';
import type { PeerSession } from '../kit/scripted-peer.js';

const deaths: [string, number | undefined, (session: PeerSession) => void][] = [
  ['reset', undefined, (session) => session.socket.resetAndDestroy()],
  ['ended by the peer', undefined, (session) => session.socket.end()],
  ['closed with 320', 320, (session) => session.send(frames.connectionClose(320, 'forced'))],
  ['closed with 541', 541, (session) => session.send(frames.connectionClose(541, 'oops'))],
  ['given a frame that is none', undefined, (session) => session.send(Buffer.alloc(64, 7))],
  [
    'given a frame on an unknown channel',
    undefined,
    (session) => session.send(frames.basicAck(99, 1)),
  ],
];

describe.each(deaths)('a connection that is %s', (_name, code, kill) => {
  it('tells everything that waited on it, with its loss set before', async () => {
    const { connection, session, clock } = await dialPeer({ 'queue.declare': silence });
    const plain = await connection.openChannel();
    const confirmed = await connection.openConfirmChannel();
    confirmed.publish('', 'q', Buffer.from('x'));
    const seen: string[] = [];
    const told = (what: string) => (error: unknown) => {
      if (connection.loss === undefined || plain.loss === undefined) seen.push(`${what} too early`);
      else seen.push(what);
      return error as AmqpError;
    };
    plain.on('close', told('close'));
    const failures = [
      plain.assertQueue('a').catch(told('outstanding')),
      plain.assertQueue('b').catch(told('queued')),
      confirmed.waitForConfirms().catch(told('confirms')),
    ];
    const end = new Promise<AmqpError>((resolve) => {
      connection.onEnd((loss) => resolve(told('end')(loss)));
    });
    await session.seen('queue.declare');
    await session.seen('basic.publish');
    kill(session);

    for (const failure of await Promise.all(failures)) {
      expect(isAmqpError(failure)).toBe(true);
      expect((failure as AmqpError).fault).toMatchObject({ scope: 'connection', code });
      expect((failure as AmqpError).fault.connection).toBe(connection);
    }
    expect((await end).fault).toMatchObject({ scope: 'connection', code });
    expect(connection.loss).toBe(await end);
    expect(plain.loss).toBe(connection.loss);
    expect(seen.toSorted()).toEqual(['close', 'confirms', 'end', 'outstanding', 'queued']);
    expect(clock.pending).toBe(0);
    if (!session.socket.closed) {
      await new Promise((resolve) => {
        session.socket.on('close', resolve);
      });
    }
  });

  it('refuses everything that comes later', async () => {
    const { connection, session } = await dialPeer();
    const channel = await connection.openConfirmChannel();
    const end = new Promise<AmqpError>((resolve) => {
      connection.onEnd(resolve);
    });
    kill(session);
    await end;
    const message = { fields: { deliveryTag: 1 } } as never;
    for (const late of [
      rejection<AmqpError>(connection.openChannel()),
      rejection<AmqpError>(connection.openConfirmChannel()),
      rejection<AmqpError>(channel.prefetch(1)),
      rejection<AmqpError>(
        Promise.resolve().then(() => channel.publish('', 'q', Buffer.from('x'))),
      ),
      rejection<AmqpError>(Promise.resolve().then(() => channel.ack(message))),
      rejection<AmqpError>(Promise.resolve().then(() => channel.nackAll())),
    ]) {
      expect((await late).fault).toMatchObject({ scope: 'connection', code });
    }
    await channel.waitForConfirms();
    await channel.close();
    await connection.close();
    expect(inspect(connection)).toContain('ended');
  });
});

describe('onEnd', () => {
  it('is told once, and at once when it comes late', async () => {
    const { connection } = await dialPeer();
    const losses: unknown[] = [];
    connection.onEnd((loss) => losses.push(loss));
    await connection.close();
    connection.destroy(new Error('again'));
    await connection.close();
    expect(losses).toEqual([connection.loss]);
    connection.onEnd((loss) => losses.push(loss));
    expect(losses).toHaveLength(2);
  });

  it('that throws is reported and harms nobody', async () => {
    const { connection, session, reported } = await dialPeer();
    const failure = new Error('listener');
    connection.onEnd(() => {
      throw failure;
    });
    const end = new Promise((resolve) => {
      connection.onEnd(resolve);
    });
    session.socket.resetAndDestroy();
    await end;
    expect(reported).toEqual([{ error: failure, where: 'onEnd listener' }]);
  });
});

describe('destroy', () => {
  it('drops the socket at once and fails what was pending', async () => {
    const { connection, session, clock } = await dialPeer({ 'queue.declare': silence });
    const channel = await connection.openChannel();
    const pending = rejection<AmqpError>(channel.assertQueue('q'));
    await session.seen('queue.declare');
    connection.destroy(new Error('hung'));
    expect(connection.loss?.message).toContain('hung');
    expect(channel.loss?.fault.scope).toBe('connection');
    expect((await pending).fault.scope).toBe('connection');
    expect(clock.pending).toBe(0);
  });
});

describe('a blocked connection', () => {
  it('says so until it is unblocked', async () => {
    const { connection, session } = await dialPeer();
    const changes: (string | undefined)[] = [];
    const told = (count: number): Promise<void> =>
      new Promise((resolve) => {
        connection.onBlocked((reason) => {
          changes.push(reason);
          if (changes.length === count) resolve();
        });
      });
    const both = told(2);
    session.send(frames.connectionBlocked('low on disk'), frames.connectionUnblocked());
    await both;
    expect(changes).toEqual(['low on disk', undefined]);
    expect(connection.blocked).toBeUndefined();
  });
});
