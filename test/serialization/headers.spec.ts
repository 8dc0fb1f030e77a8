import * as fc from 'fast-check';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodableHeaders } from '../../lib/serialization/headers.js';

const require = createRequire(import.meta.url);

// Not among what the package exports.
const codec = join(dirname(require.resolve('amqplib')), 'lib', 'codec.js');

const { encodeTable, decodeFields } = require(codec) as {
  encodeTable(buffer: Buffer, table: object, offset: number): number;
  decodeFields(slice: Buffer): Record<string, unknown>;
};

const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = { in: value };
  return value;
};

class Money {
  readonly amount = 1;
}

describe('headers to be sent', () => {
  it.each<[string, unknown, string]>([
    ['a bigint', { key: 1n }, 'key'],
    ['NaN', { key: Number.NaN }, 'key'],
    ['a fraction too large for amqplib', { key: 2 ** 50 + 0.5 }, 'key'],
    ['infinity', { key: -Infinity }, 'key'],
    ['a number below all integers of 64 bits', { key: -(2 ** 64) }, 'key'],
    ['a symbol', { key: Symbol('s') }, 'key'],
    ['a function', { key: () => 1 }, 'key'],
    ['a Date', { key: new Date(0) }, 'key'],
    ['a Map', { key: new Map() }, 'key'],
    ['a Set', { key: new Set() }, 'key'],
    ['a regular expression', { key: /x/u }, 'key'],
    ['an error', { key: new Error('x') }, 'key'],
    ['a promise', { key: Promise.resolve() }, 'key'],
    ['an instance of a class', { key: new Money() }, 'key'],
    ['bytes that are no Buffer', { key: Uint8Array.of(1) }, 'key'],
    ['a Date in a list', { key: [1, new Date(0)] }, 'key[1]'],
    ['a hole in a list', { key: Array(1) }, 'key[0]'],
    ['undefined in a list', { key: [undefined] }, 'key[0]'],
    ['a bigint in a table', { key: { inner: 1n } }, 'key.inner'],
    ['what is nested too deeply', { key: nested(33) }, 'key.in.in'],
  ])('are refused for %s, naming it', (_, headers, name) => {
    expect(() => encodableHeaders(headers as Record<string, unknown>)).toThrow(
      expect.objectContaining({
        name: 'SerializationError',
        message: expect.stringContaining(name),
      }),
    );
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['an empty string', ''],
    ['zero below zero', -0],
    ['a fraction', 0.5],
    ['a large number', 2 ** 70],
    ['a large number below zero', -(2 ** 63)],
    ['a Buffer', Buffer.from('x')],
    ['a table without a prototype', Object.assign(Object.create(null), { a: 1 })],
    ['32 tables in each other', nested(31)],
  ])('may hold %s', (_, value) => {
    const { table } = encodableHeaders({ key: value });
    expect(JSON.stringify(table['key'])).toBe(JSON.stringify(value));
  });

  it('are a copy, without what is undefined, and leave the given ones as they are', () => {
    const given = Object.freeze({ a: Object.freeze({ b: Object.freeze([1]) }), c: undefined });
    const { table } = encodableHeaders(given);
    table['a'] = 2;
    table['x-republished'] = true;
    expect(given).toEqual({ a: { b: [1] }, c: undefined });
    expect('c' in table).toBe(false);
  });

  it('are a copy down to the bytes', () => {
    const bytes = Buffer.from('before');
    const { table } = encodableHeaders({ list: [{ bytes }] });
    bytes.fill('x');
    expect(table).toEqual({ list: [{ bytes: Buffer.from('before') }] });
  });

  it('may have an own key __proto__, which changes no prototype', () => {
    const { table } = encodableHeaders(JSON.parse('{"__proto__":{"polluted":1}}') as object as {});
    expect(Object.getPrototypeOf(table)).toBeNull();
    expect(Object.keys(table)).toEqual(['__proto__']);
  });

  it('are never larger on the wire than reckoned, and fit into the buffer of amqplib', () => {
    // In a table of amqplib, `!` names the type of a value beside it, and `__proto__` is lost when it decodes one.
    const keys = fc.string({ maxLength: 60 }).filter((key) => key !== '!' && key !== '__proto__');
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        fc.string({ unit: 'grapheme', maxLength: 300 }),
        fc.boolean(),
        fc.constant(null),
        fc.integer(),
        fc.double({ noNaN: true, min: -(2 ** 49), max: 2 ** 49 }),
        fc.double({ noNaN: true, noDefaultInfinity: true, min: 2 ** 53 }),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        fc.array(tie('any'), { maxLength: 5 }),
        fc.dictionary(keys, tie('any'), { maxKeys: 5 }),
      ),
    })).any;
    const headers = fc.dictionary(keys, value);
    fc.assert(
      fc.property(headers, (given) => {
        const { table, size } = encodableHeaders(given);
        const buffer = Buffer.alloc(65_536);
        const written = encodeTable(buffer, table, 0);
        expect(written).toBeLessThanOrEqual(size);
        expect(Object.keys(decodeFields(buffer.subarray(4, written)))).toEqual(Object.keys(table));
      }),
    );
  }, 30_000);

  it('of just 64 KiB are sent with the mark of what is sent again, and one byte more is refused', () => {
    const room = 65_536 - 64 - 4 - 2 - 5;
    const { table } = encodableHeaders({ h: 'x'.repeat(room) });
    table['x-republished'] = true;
    expect(encodeTable(Buffer.alloc(65_536), table, 0)).toBeLessThanOrEqual(65_536);
    expect(() => encodableHeaders({ a: 1, h: 'x'.repeat(room) })).toThrow('the largest is "h"');
  });

  it.each(['k'.repeat(256), 'ü'.repeat(128)])('have keys of at most 255 bytes, not %s', (key) => {
    expect(() => encodableHeaders({ [key]: 1 })).toThrow('at most 255 bytes');
    expect(() => encodableHeaders({ in: { [key]: 1 } })).toThrow('"in.');
    expect(encodableHeaders({ ['k'.repeat(255)]: 1 }).size).toBeGreaterThan(255);
  });
});
