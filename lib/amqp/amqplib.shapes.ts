import type { EventEmitter } from 'node:events';
import { Duplex, Readable } from 'node:stream';
import type { Channel, ConfirmChannel, Connection, ServerProperties } from 'amqplib/callback_api';

/** amqplib's own connection, under its model. Its types leave out the socket and the events; the contract tests pin them. */
export interface AmqplibSocketConnection extends EventEmitter {
  readonly stream: Duplex;
  readonly serverProperties: ServerProperties;
  /** As negotiated. */
  readonly frameMax: number;
}

export type AmqplibModel = Connection;
export type AmqplibRawChannel = Channel;
export type AmqplibRawConfirmChannel = ConfirmChannel;

/** amqplib's callbacks get null where its types say `Error`. */
export type AmqplibCallback<T> = (error: Error | null, reply: T) => void;

export const socketConnectionOf = (model: AmqplibModel): AmqplibSocketConnection =>
  model.connection as unknown as AmqplibSocketConnection;

type Publish = Channel['publish'];

/**
 * Takes amqplib's own bookkeeping of confirms off a confirm channel, and gives the plain channel's `publish`: the
 * bookkeeping grows without bound after an out-of-order confirm that a `multiple` one then covers, and confirms the wrong
 * message after a repeated one. If amqplib's classes are not built as expected, nothing is changed.
 */
export function withoutConfirmBookkeeping(channel: ConfirmChannel): Publish {
  const confirmClass: unknown = Object.getPrototypeOf(channel);
  const plainClass: unknown =
    typeof confirmClass === 'object' && confirmClass !== null
      ? Object.getPrototypeOf(confirmClass)
      : undefined;
  const publish: unknown =
    typeof plainClass === 'object' && plainClass !== null
      ? Reflect.get(plainClass, 'publish')
      : undefined;
  if (typeof publish !== 'function' || publish === channel.publish) {
    return (...args) => channel.publish(...args);
  }
  channel.removeAllListeners('ack');
  channel.removeAllListeners('nack');
  return publish.bind(channel) as Publish;
}

/** amqplib answers an opening that it cannot number at once, before it returns the channel to hang a listener on. */
export function openingOf(): {
  readonly tell: AmqplibCallback<unknown>;
  readonly listen: (callback: AmqplibCallback<unknown>) => void;
  /** Why nothing was sent, when there is no channel number left. */
  readonly refusal: () => Error | undefined;
} {
  let early: [Error | null, unknown] | undefined;
  let listener: AmqplibCallback<unknown> | undefined;
  return {
    tell: (error, channel) => {
      if (listener === undefined) early = [error, channel];
      else listener(error, channel);
    },
    listen: (callback) => {
      listener = callback;
      if (early !== undefined) callback(...early);
    },
    refusal: () => early?.[0] ?? undefined,
  };
}

/** Where amqplib keeps what a channel has to send, until the socket takes it. If it is not built as expected: nothing. */
export function unsentOf(
  connection: AmqplibSocketConnection,
  channel: object,
): Readable | undefined {
  const number: unknown = Reflect.get(channel, 'ch');
  const channels: unknown = Reflect.get(connection, 'channels');
  const slot: unknown =
    Array.isArray(channels) && typeof number === 'number' ? channels[number] : undefined;
  const buffer: unknown =
    typeof slot === 'object' && slot !== null ? Reflect.get(slot, 'buffer') : undefined;
  return buffer instanceof Readable && 'writableEnded' in buffer ? buffer : undefined;
}

/** Where whole frames of one channel can be written. */
export interface FrameSink {
  readonly channel: number;
  /** As negotiated. */
  readonly frameMax: number;
  /** @returns whether there is room for more; undefined when nothing was written, since the channel is being closed */
  write(frames: Buffer): boolean | undefined;
}

/** The way past amqplib's encoder. If it is not built as expected: undefined, and everything goes through amqplib. */
export function frameSinkOf(channel: ConfirmChannel): FrameSink | undefined {
  const connection: unknown = Reflect.get(channel, 'connection');
  const number: unknown = Reflect.get(channel, 'ch');
  const sends: unknown = Reflect.get(channel, 'sendMessage');
  if (typeof connection !== 'object' || connection === null) return undefined;
  if (typeof number !== 'number' || typeof sends !== 'function') return undefined;
  const { frameMax } = connection as AmqplibSocketConnection;
  const unsent = unsentOf(connection as AmqplibSocketConnection, channel);
  if (!(unsent instanceof Duplex) || typeof frameMax !== 'number') return undefined;
  return {
    channel: number,
    frameMax,
    write(frames) {
      // It takes the function away from a channel that is closing or closed.
      const isOpen = Reflect.get(channel, 'sendMessage') === sends && !unsent.writableEnded;
      return isOpen ? unsent.write(frames) : undefined;
    },
  };
}
