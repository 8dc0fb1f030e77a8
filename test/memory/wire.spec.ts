import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FieldTable, FieldValue } from '../../lib/memory/wire/field-value.js';
import { FrameParser } from '../../lib/memory/wire/frame-parser.js';
import { FrameWriter } from '../../lib/memory/wire/frame-writer.js';
import { decodeMethod } from '../../lib/memory/wire/method-codec.js';
import { methodTable } from '../../lib/memory/wire/method-table.js';
import type { MethodName, WireType } from '../../lib/memory/wire/method-table.js';
import { decodeProperties, encodeProperties } from '../../lib/memory/wire/properties.js';
import { MalformedError, WireReader } from '../../lib/memory/wire/wire-reader.js';
import { WireWriter } from '../../lib/memory/wire/wire-writer.js';

const shortText = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .filter((text) => Buffer.byteLength(text) < 256);
const bytes = fc.uint8Array({ maxLength: 50 }).map((array) => Buffer.from(array));

// Erlang has no other numbers, and RabbitMQ refuses a table with one.
const finite = { noNaN: true, noDefaultInfinity: true } as const;

const { table } = fc.letrec<{ table: FieldTable; value: FieldValue }>((tie) => ({
  table: fc
    .array(fc.tuple(shortText, tie('value')), { maxLength: 4 })
    .map((entries): FieldTable => new Map(entries)),
  value: fc.oneof(
    { depthSize: 'small' },
    bytes.map((value): FieldValue => ({ type: 'longstr', value })),
    bytes.map((value): FieldValue => ({ type: 'binary', value })),
    fc.integer({ min: -128, max: 127 }).map((value): FieldValue => ({ type: 'byte', value })),
    fc.nat(255).map((value): FieldValue => ({ type: 'unsignedbyte', value })),
    fc
      .integer({ min: -32_768, max: 32_767 })
      .map((value): FieldValue => ({ type: 'short', value })),
    fc.nat(65_535).map((value): FieldValue => ({ type: 'unsignedshort', value })),
    fc.integer().map((value): FieldValue => ({ type: 'signedint', value })),
    fc.nat(0xffffffff).map((value): FieldValue => ({ type: 'unsignedint', value })),
    fc
      .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
      .map((value): FieldValue => ({ type: 'long', value })),
    fc
      .bigInt({ min: 0n, max: 2n ** 64n - 1n })
      .map((value): FieldValue => ({ type: 'timestamp', value })),
    fc.double(finite).map((value): FieldValue => ({ type: 'double', value })),
    fc.float(finite).map((value): FieldValue => ({ type: 'float', value })),
    fc.boolean().map((value): FieldValue => ({ type: 'bool', value })),
    fc.record({
      type: fc.constant('decimal' as const),
      scale: fc.nat(255),
      value: fc.nat(0xffffffff),
    }),
    fc.constant<FieldValue>({ type: 'void', value: undefined }),
    tie('table').map((value): FieldValue => ({ type: 'table', value })),
    fc.array(tie('value'), { maxLength: 3 }).map((value): FieldValue => ({ type: 'array', value })),
  ) as fc.Arbitrary<FieldValue>,
}));

const values: { readonly [Type in WireType]: fc.Arbitrary<unknown> } = {
  octet: fc.nat(255),
  short: fc.nat(65_535),
  long: fc.nat(0xffffffff),
  longlong: fc.maxSafeNat(),
  shortstr: shortText,
  longstr: bytes,
  bit: fc.boolean(),
  table,
};

const anyMethod = fc.constantFrom(...(Object.keys(methodTable) as MethodName[])).chain((name) =>
  fc.record({
    name: fc.constant(name),
    fields: fc.record(
      Object.fromEntries(
        Object.entries<WireType>(methodTable[name].fields).map(([field, type]) => [
          field,
          values[type],
        ]),
      ),
    ),
  }),
);

const anyProperties = fc.record(
  {
    contentType: shortText,
    contentEncoding: shortText,
    headers: table,
    deliveryMode: fc.nat(255),
    priority: fc.nat(255),
    correlationId: shortText,
    replyTo: shortText,
    expiration: shortText,
    messageId: shortText,
    timestamp: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    type: shortText,
    userId: shortText,
    appId: shortText,
    clusterId: shortText,
  },
  { requiredKeys: [] },
);

const thrownBy = (read: () => unknown): unknown => {
  try {
    read();
    return undefined;
  } catch (error) {
    return error;
  }
};

describe('the wire', () => {
  it('gives back every method as it was written', () => {
    fc.assert(
      fc.property(anyMethod, fc.nat(65_535), ({ name, fields }, channel) => {
        const frames = new FrameWriter();
        frames.method(channel, name, fields);
        const parser = new FrameParser(131_072);
        parser.push(frames.take());
        const frame = parser.next();
        expect(frame).toMatchObject({ type: 1, channel });
        expect(decodeMethod(frame?.payload ?? Buffer.alloc(0))).toEqual({ name, fields });
      }),
      { numRuns: 500 },
    );
  });

  it('gives back every table, with the types of its fields', () => {
    fc.assert(
      fc.property(table, (given) => {
        const writer = new WireWriter(1);
        writer.table(given);
        expect(new WireReader(writer.take()).table()).toEqual(given);
      }),
      { numRuns: 500 },
    );
  });

  it('gives back every set of properties', () => {
    fc.assert(
      fc.property(anyProperties, (properties) => {
        expect(decodeProperties(encodeProperties(properties))).toEqual(properties);
      }),
      { numRuns: 500 },
    );
  });

  it('cuts frames out of any chunks', () => {
    fc.assert(
      fc.property(
        fc.array(bytes, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (bodies, sizes) => {
          const frames = new FrameWriter();
          for (const body of bodies)
            frames.content(1, { properties: Buffer.from([0, 0]), body }, 4_096);
          const stream = frames.take();
          const parser = new FrameParser(4_096);
          const payloads: Buffer[] = [];
          for (let at = 0, turn = 0; at < stream.length; turn += 1) {
            const size = sizes[turn % sizes.length] ?? 1;
            parser.push(stream.subarray(at, at + size));
            at += size;
            for (let frame = parser.next(); frame !== undefined; frame = parser.next()) {
              if (frame.type === 3) payloads.push(Buffer.from(frame.payload));
            }
          }
          expect(payloads).toEqual(bodies.filter(({ length }) => length > 0));
        },
      ),
    );
  });

  it('says of anything else that it is malformed, and nothing worse', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (array) => {
        for (const read of [
          () => new WireReader(Buffer.from(array)).table(),
          () => decodeProperties(Buffer.from(array)),
          () => array.length >= 4 && decodeMethod(Buffer.from(array)),
        ]) {
          expect(thrownBy(read)).toSatisfy(
            (error: unknown) => error === undefined || error instanceof MalformedError,
          );
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('does not follow tables into any depth', () => {
    const writer = new WireWriter();
    // An array in an array in an array: five bytes each.
    for (let depth = 0; depth < 20_000; depth += 1)
      writer.raw(Buffer.from([0x41, 0, 0, 0xff, 0xff]));
    const nested = writer.take();
    const field = Buffer.concat([Buffer.from([1, 0x78]), nested]);
    const bytesOfTable = Buffer.alloc(4 + field.length);
    bytesOfTable.writeUInt32BE(field.length);
    field.copy(bytesOfTable, 4);
    expect(() => new WireReader(bytesOfTable).table()).toThrow(MalformedError);
  });
});
