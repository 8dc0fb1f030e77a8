import { expect, it } from 'vitest';
import { FrameParser } from './frame-parser.js';
import {
  ack,
  deliver,
  frame,
  HEARTBEAT,
  long,
  method,
  PROTOCOL_HEADER,
  publish,
  short,
  shortstr,
} from './hand-built-frames.js';

const tune = method(0, [10, 30], short(2047), long(131_072), short(60));
const close = method(3, [20, 40], short(404), shortstr('NOT_FOUND'), short(50), short(10));
const stream = Buffer.concat([
  PROTOCOL_HEADER,
  tune,
  HEARTBEAT,
  publish(3, 'a.b', Buffer.from('0123456789'), 6),
  deliver(1, 7),
  ack(1, 7, true),
  close,
]);
const names = [
  'protocol-header',
  'connection.tune',
  'heartbeat',
  'basic.publish',
  'header',
  'body',
  'body',
  'basic.deliver',
  'basic.ack',
  'channel.close',
];

function parse(...chunks: Buffer[]) {
  const parser = new FrameParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
}

it('finds the same frames wherever the stream is split in two', () => {
  for (let at = 0; at <= stream.length; at++) {
    const frames = parse(stream.subarray(0, at), stream.subarray(at));
    expect(frames.map((one) => one.method)).toEqual(names);
    expect(Buffer.concat(frames.map((one) => one.bytes))).toEqual(stream);
  }
});

it('finds the same frames in chunks of any one size', () => {
  for (let size = 1; size < 40; size++) {
    const count = Math.ceil(stream.length / size);
    const chunks = Array.from({ length: count }, (_, i) =>
      stream.subarray(i * size, (i + 1) * size),
    );
    expect(parse(...chunks).map((one) => one.method)).toEqual(names);
  }
});

it('decodes the fields that tests ask for', () => {
  const fields = parse(stream).map((one) => one.fields);
  expect(fields).toEqual([
    {},
    { channelMax: 2047, frameMax: 131_072, heartbeat: 60 },
    {},
    { exchange: 'orders', routingKey: 'a.b', mandatory: true },
    { bodySize: 10, messageId: 'id-a.b' },
    { size: 6 },
    { size: 4 },
    { consumerTag: 'ctag', deliveryTag: 7, redelivered: true, exchange: 'x', routingKey: 'rk' },
    { deliveryTag: 7, multiple: true },
    { replyCode: 404, replyText: 'NOT_FOUND', classId: 50, methodId: 10 },
  ]);
});

it('keeps a frame that is not complete, and hands it out at the end', () => {
  const parser = new FrameParser();
  expect(parser.push(tune.subarray(0, 9))).toEqual([]);
  expect(parser.rest()).toEqual(tune.subarray(0, 9));
});

it('lets what is not AMQP through unchanged, from the first such byte on', () => {
  const http = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n');
  const frames = parse(tune, http, tune);
  expect(frames.map((one) => one.method)).toEqual(['connection.tune', 'opaque', 'opaque']);
  expect(Buffer.concat(frames.map((one) => one.bytes))).toEqual(Buffer.concat([tune, http, tune]));
});

it('takes a frame without its end octet for garbage, with all that follows in the chunk', () => {
  const broken = Buffer.from(HEARTBEAT);
  broken[7] = 0;
  const frames = parse(Buffer.concat([tune, broken, tune]));
  expect(frames.map((one) => one.method)).toEqual(['connection.tune', 'opaque']);
  expect(frames[1]?.bytes).toEqual(Buffer.concat([broken, tune]));
});

it('names an unknown method and survives a method that is cut short', () => {
  const frames = parse(method(1, [99, 1]), method(1, [60, 80], short(0)), frame(1, 1, short(1)));
  expect(frames.map((one) => [one.method, one.fields])).toEqual([
    ['unknown', {}],
    ['basic.ack', {}],
    ['unknown', {}],
  ]);
});

it('carries a body of 32 MiB that comes in small pieces without copying it over and over', () => {
  const body = frame(3, 1, Buffer.alloc(32 * 1024 * 1024, 7));
  const parser = new FrameParser();
  let frames = 0;
  for (let start = 0; start < body.length; start += 1024) {
    frames += parser.push(body.subarray(start, start + 1024)).length;
  }
  expect(frames).toBe(1);
});
