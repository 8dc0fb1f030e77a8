import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Options } from 'amqplib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { publishFrames } from '../../lib/amqp/publish-frames.js';

const require = createRequire(import.meta.url);
/** What amqplib does not export. */
const inside = (name: string): unknown =>
  require(join(dirname(require.resolve('amqplib')), 'lib', name));
const Args = inside('api_args.js') as {
  publish(exchange: string, routingKey: string, options: Options.Publish): object;
};
const defs = inside('defs.js') as Record<string, number>;
const { Connection } = inside('connection.js') as {
  Connection: { prototype: { sendMessage(...args: unknown[]): boolean; sendContent: unknown } };
};

const sink = { channel: 7, frameMax: 4_096, write: () => true };

type Publish = readonly [
  exchange: string,
  routingKey: string,
  content: Buffer,
  options: Options.Publish,
];

/** What amqplib itself writes. */
function amqplibs(...[exchange, routingKey, content, options]: Publish): Buffer {
  const written: Buffer[] = [];
  const buffer = { write: (chunk: Buffer) => written.push(Buffer.from(chunk)) > 0 };
  const connection = {
    channels: { [sink.channel]: { buffer } },
    frameMax: sink.frameMax,
    sendContent: Connection.prototype.sendContent,
  };
  const fields = Args.publish(exchange, routingKey, options);
  Connection.prototype.sendMessage.call(
    connection,
    sink.channel,
    defs['BasicPublish'],
    fields,
    defs['BasicProperties'],
    fields,
    content,
  );
  return Buffer.concat(written);
}

const short = fc.string({ maxLength: 60, unit: 'grapheme' });

const optionsOf = fc.record(
  {
    contentType: short,
    contentEncoding: short,
    mandatory: fc.boolean(),
    deliveryMode: fc.constantFrom(1, 2),
    priority: fc.nat(255),
    correlationId: short,
    replyTo: short,
    expiration: fc.nat().map(String),
    messageId: short,
    timestamp: fc.maxSafeNat(),
    type: short,
    userId: short,
    appId: short,
  },
  { requiredKeys: [] },
);

describe('the frames of a publish', () => {
  it('are those of amqplib, byte for byte', () => {
    const content = fc
      .uint8Array({ maxLength: sink.frameMax - 8 })
      .map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(short, short, content, optionsOf, (...publish) => {
        expect(publishFrames(sink, ...publish)?.toString('hex')).toBe(
          amqplibs(...publish).toString('hex'),
        );
      }),
      { numRuns: 500 },
    );
  });

  const nothing = Buffer.alloc(0);
  it.each<[string, Publish]>([
    ['headers', ['', 'q', nothing, { headers: {} }]],
    ['CC', ['', 'q', nothing, { CC: 'other' }]],
    ['BCC', ['', 'q', nothing, { BCC: ['other'] }]],
    ['persistent', ['', 'q', nothing, { persistent: true }]],
    ['a delivery mode that is true', ['', 'q', nothing, { deliveryMode: true }]],
    ['an expiration that is a number', ['', 'q', nothing, { expiration: 5 }]],
    ['a priority that is none', ['', 'q', nothing, { priority: 256 }]],
    ['a timestamp with a fraction', ['', 'q', nothing, { timestamp: 1.5 }]],
    ['a text that is none', ['', 'q', nothing, { type: 5 as never }]],
    ['a null', ['', 'q', nothing, { type: null as never }]],
    ['a text that is too long', ['', 'q', nothing, { messageId: 'ü'.repeat(128) }]],
    ['an exchange that is too long', ['x'.repeat(256), 'q', nothing, {}]],
    ['a routing key that is too long', ['', 'x'.repeat(256), nothing, {}]],
    ['a body of more than one frame', ['', 'q', Buffer.alloc(sink.frameMax - 7), {}]],
  ])('are left to amqplib with %s', (_, publish) => {
    expect(publishFrames(sink, ...publish)).toBeUndefined();
  });
});
