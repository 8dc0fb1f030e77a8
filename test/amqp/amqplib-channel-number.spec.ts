import { describe, expect, it } from 'vitest';
import type { AmqpError } from '../../lib/errors.js';
import * as frames from '../kit/amqp-frames.js';
import { dialPeer } from '../kit/dial.js';

const MIB = Buffer.alloc(1_048_576);

/** A confirm channel with more to send than the socket of a peer that reads nothing takes. */
async function backlogged() {
  const dialled = await dialPeer();
  const { connection, session } = dialled;
  const channel = await connection.openConfirmChannel();
  const { channel: number } = await session.seen('confirm.select');
  session.socket.pause();
  for (let n = 0; n < 30; n += 1) channel.publish('missing', 'q', MIB);
  await new Promise(setImmediate);
  const closed = new Promise<AmqpError>((resolve) => {
    channel.on('close', resolve);
  });
  session.send(frames.channelClose(number, 404, 'no'));
  await closed;
  /** Opens and closings of that number, in the order in which they came. */
  const seen = (): string[] =>
    session.received.flatMap(({ channel: on, method }) =>
      on === number && method.startsWith('channel.') ? [method] : [],
    );
  return { ...dialled, seen };
}

describe('a channel after one that the broker closed with publishes still to send', () => {
  it('is opened when what it closed with has left: its number is the same one', async () => {
    const { connection, session, seen } = await backlogged();
    const next = connection.openConfirmChannel();
    session.socket.resume();
    await next;
    expect(seen()).toEqual(['channel.open', 'channel.close-ok', 'channel.open']);
  });

  it('fails at once when the connection is lost meanwhile', async () => {
    const { connection, clock } = await backlogged();
    const next = connection.openConfirmChannel();
    connection.destroy(new Error('gone'));
    await expect(next).rejects.toMatchObject({ fault: { scope: 'connection' } });
    expect(clock.pending).toBe(0);
  });
});
