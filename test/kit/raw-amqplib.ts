import { connect } from 'amqplib/callback_api';
import type { Channel, ConfirmChannel, Connection, Options } from 'amqplib/callback_api';
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { usePeer } from './dial.js';
import type { PeerSession, Script } from './scripted-peer.js';

/** What amqplib's types leave out of its connection. */
export type RawConnection = EventEmitter & { stream: Socket; close: (done: () => void) => void };

export const rawOf = (model: Connection): RawConnection =>
  model.connection as unknown as RawConnection;

/** amqplib's own outcome of a dial, without our adapter: each call of its callback. */
export function rawDial(
  url: string | Options.Connect,
  options: object = {},
): Promise<{ error: (Error & { code?: unknown }) | null; model: Connection }> {
  return new Promise((resolve) => {
    connect(url, { noDelay: true, ...options }, (error, model) => {
      if (model !== undefined) {
        model.on('error', () => {});
        onTestFinished(() => {
          rawOf(model).stream.destroy(new Error('test finished'));
        });
      }
      resolve({ error, model });
    });
  });
}

/** amqplib itself, connected to a scripted peer. */
export async function rawModel(
  script: Script = {},
  address: Options.Connect = {},
): Promise<{ model: Connection; session: PeerSession }> {
  const peer = await usePeer(script);
  const { error, model } = await rawDial({ hostname: '127.0.0.1', port: peer.port, ...address });
  if (error !== null) throw error;
  return { model, session: await peer.session() };
}

export const openRaw = (model: Connection): Promise<Channel> =>
  new Promise((resolve, reject) => {
    model.createChannel((error, channel) => {
      if (error === null) resolve(channel);
      else reject(error);
    });
  });

export const openRawConfirm = (model: Connection): Promise<ConfirmChannel> =>
  new Promise((resolve, reject) => {
    model.createConfirmChannel((error, channel) => {
      if (error === null) resolve(channel);
      else reject(error);
    });
  });

/** The arguments of the next `event`; unlike `once` of node:events, an 'error' before it does not matter. */
export const fires = (emitter: EventEmitter, event: string): Promise<unknown[]> =>
  new Promise((resolve) => {
    emitter.once(event, (...args: unknown[]) => resolve(args));
  });
