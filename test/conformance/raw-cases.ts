import * as frames from '../kit/amqp-frames.js';
import type { Case } from './conformance.js';
import { RawClient } from './raw-client.js';

const { method, shortstr, short, long, octet, table, frame } = frames;

const noTable = table({});

/** Methods of a client, byte by byte. */
export const say = {
  open: (channel: number): Buffer => method(channel, [20, 10], shortstr('')),
  declare: (channel: number, queue: string, bits = 0): Buffer =>
    method(channel, [50, 10], short(0), shortstr(queue), octet(bits), noTable),
  /** Passive: what a channel answers that is alive. */
  look: (channel: number): Buffer =>
    method(
      channel,
      [40, 10],
      short(0),
      shortstr('amq.direct'),
      shortstr('direct'),
      octet(1),
      noTable,
    ),
  publish: (channel: number, exchange: string, key: string, bits = 0): Buffer =>
    method(channel, [60, 40], short(0), shortstr(exchange), shortstr(key), octet(bits)),
  header: (channel: number, size: number, properties = short(0), classId = 60, weight = 0) =>
    frame(
      2,
      channel,
      Buffer.concat([short(classId), short(weight), long(0), long(size), properties]),
    ),
  body: (channel: number, bytes: string): Buffer => frame(3, channel, Buffer.from(bytes)),
  consume: (channel: number, queue: string, tag: string, bits = 0): Buffer =>
    method(channel, [60, 20], short(0), shortstr(queue), shortstr(tag), octet(bits), noTable),
  get: (channel: number, queue: string, bits = 0): Buffer =>
    method(channel, [60, 70], short(0), shortstr(queue), octet(bits)),
  closeConnection: (): Buffer =>
    method(0, [10, 50], short(200), shortstr('bye'), short(0), short(0)),
  closeChannel: (channel: number): Buffer =>
    method(channel, [20, 40], short(200), shortstr('bye'), short(0), short(0)),
  closeOk: (channel: number): Buffer => method(channel, [20, 41]),
} as const;

/** What is said about the queue of the case; a text says what is to be heard before that goes on. */
export type Words = (queue: string) => readonly (Buffer | string)[];

/**
 * What a client hears that has channel 1 open and says this; then whether that channel and the connection go on. Sorted, since
 * the channels of RabbitMQ answer side by side.
 *
 * @param options.probed whether the channel is asked for a sign of life; else it, or the connection, has to end by itself
 */
export const onChannel =
  (words: Words, { probed = true } = {}): Case =>
  async ({ url, vhost, name }) => {
    const client = await RawClient.connect(url);
    await client.login({ vhost });
    client.openChannel(1);
    await client.hears('1 channel.open-ok');
    for (const one of words(name('q'))) {
      if (typeof one === 'string') await client.hears(one);
      else client.send(one);
    }
    if (probed) client.send(say.look(1));
    await client.hears(
      '1 exchange.declare-ok',
      '0 connection.close ',
      '1 channel.close ',
      '2 channel.close ',
    );
    if (!client.heard.some((one) => one.startsWith('0 connection.close '))) {
      client.openChannel(9);
      await client.hears('9 channel.open-ok', '0 connection.close ');
    }
    // Without a word; after one, a socket is closed sooner or later.
    const isMute = client.ended && !client.heard.some((one) => one.includes('connection.close '));
    const heard = [...client.heard, ...(isMute ? ['closed'] : [])].toSorted();
    client.end();
    return heard;
  };
