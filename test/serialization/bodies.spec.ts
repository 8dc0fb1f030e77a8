import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBody, encodeBody, serializerNames } from '../../lib/serialization/codec.js';

const every = [...serializerNames];

const decodeText = (text: string, contentType = 'application/json'): unknown =>
  decodeBody(Buffer.from(text), contentType, every);

describe('a body', () => {
  it.each<[string, unknown, string | undefined, string, string]>([
    ['an object', { a: 1 }, undefined, '{"a":1}', 'application/json'],
    [
      'an object with empty ones in it',
      { a: {}, b: '{}' },
      undefined,
      '{"a":{},"b":"{}"}',
      'application/json',
    ],
    [
      'a Map that says how it is written',
      { a: Object.assign(new Map(), { toJSON: () => ({}) }) },
      undefined,
      '{"a":{}}',
      'application/json',
    ],
    ['a string', 'x', undefined, '"x"', 'application/json'],
    ['null', null, undefined, 'null', 'application/json'],
    ['false', false, undefined, 'false', 'application/json'],
    ['bytes', Uint8Array.of(104, 105), undefined, 'hi', 'application/octet-stream'],
    ['an ArrayBuffer', Uint8Array.of(104, 105).buffer, undefined, 'hi', 'application/octet-stream'],
    [
      'a DataView',
      new DataView(Uint8Array.of(33, 104, 105).buffer, 1),
      undefined,
      'hi',
      'application/octet-stream',
    ],
    ['a Buffer', Buffer.from('hi'), undefined, 'hi', 'application/octet-stream'],
    ['text when asked', 'x', 'text', 'x', 'text/plain'],
    ['JSON when asked', 'x', 'json', '"x"', 'application/json'],
  ])('that is %s is written as its type says', (_, body, serializer, written, contentType) => {
    const encoded = encodeBody(body, serializer);
    expect([String(encoded.content), encoded.contentType]).toEqual([written, contentType]);
  });

  it('of JSON comes back as it was', () => {
    // Keys that could reach into a prototype are dropped: dangerous-keys.spec.ts.
    const harmless = (value: unknown): boolean =>
      !/"(__proto__|constructor|prototype)":/.test(JSON.stringify(value));
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }).filter(harmless), (value) => {
        const { content, contentType } = encodeBody(value, 'json');
        expect(decodeBody(content, contentType, every)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  }, 30_000);

  it('of text comes back as it was, a byte order mark included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        const { content, contentType } = encodeBody(`\uFEFF${value}`, 'text');
        expect(decodeBody(content, contentType, every)).toBe(`\uFEFF${value}`);
      }),
    );
  }, 30_000);

  it('of bytes is not copied, not even a part of a larger buffer', () => {
    const whole = Uint8Array.of(1, 2, 3, 4);
    const { content } = encodeBody(whole.subarray(1, 3));
    whole[1] = 9;
    expect([...content]).toEqual([9, 3]);
  });

  it.each<[string, unknown, string | undefined, string]>([
    ['undefined', undefined, undefined, 'undefined'],
    ['a symbol', Symbol('s'), undefined, 'symbol'],
    ['a bigint', 1n, undefined, 'a bigint'],
    ['an object as text', {}, 'text', 'object'],
    ['a string as bytes', 'x', 'raw', 'string'],
  ])('that is %s is refused, saying so', (_, body, serializer, what) => {
    expect(() => encodeBody(body, serializer)).toThrow(what);
  });

  it('whose toJSON throws is refused with its reason', () => {
    const body = {
      toJSON: () => {
        throw new Error('mine');
      },
    };
    expect(() => encodeBody(body)).toThrow(
      expect.objectContaining({
        name: 'SerializationError',
        cause: expect.objectContaining({ message: 'mine' }),
      }),
    );
  });

  it('with a getter that throws while the culprit is looked for is refused all the same', () => {
    let looks = 0;
    const body = {
      get shy(): number {
        looks += 1;
        if (looks > 1) throw new Error('not twice');
        return 1;
      },
      big: 1n,
    };
    expect(() => encodeBody(body)).toThrow('BigInt');
  });

  it('asks for a serializer that there is', () => {
    expect(() => encodeBody(1, 'pickle')).toThrow(
      expect.objectContaining({ name: 'ConfigurationError' }),
    );
  });
});

describe('a content type', () => {
  it.each<[string | undefined, string]>([
    ['application/json', 'json'],
    ['Application/JSON', 'json'],
    ['application/json; charset=utf-8', 'json'],
    [' application/json ;x=y', 'json'],
    ['text/plain', 'text'],
    ['TEXT/PLAIN;charset=us-ascii', 'text'],
    ['application/octet-stream', 'raw'],
    ['application/data', 'raw'],
    [undefined, 'raw'],
  ])('%s is read as %s', (contentType, serializer) => {
    const content = Buffer.from('"1"');
    const read = { json: '1', text: '"1"', raw: content }[serializer];
    expect(decodeBody(content, contentType, [serializer])).toEqual(read);
    const others = every.filter((name) => name !== serializer);
    expect(() => decodeBody(content, contentType, others)).toThrow('is not accepted');
  });

  it.each([
    '',
    ';',
    'json',
    'application/jsonp',
    'application/json,text/plain',
    'application/x-python-serialize',
    'application/x-yaml',
    'application/json\r\nx: y',
    '__proto__',
    'constructor',
    'x'.repeat(255),
  ])('%j is not accepted', (contentType) => {
    expect(() => decodeText('{}', contentType)).toThrow(
      expect.objectContaining({ name: 'SerializationError' }),
    );
  });

  it.each([
    ['application/json', '{"a":'],
    ['application/json', ''],
    ['application/json', 'undefined'],
  ])('%s of a body that is none is refused, and the body is not quoted', (contentType, body) => {
    expect(() => decodeText(body, contentType)).toThrow('is not json');
  });

  it.each(['application/json', 'text/plain'])(
    '%s of bytes that are not UTF-8 is refused',
    (type) => {
      expect(() => decodeBody(Buffer.of(0x22, 0xff, 0x22), type, every)).toThrow('not UTF-8');
    },
  );

  it('of JSON with secrets in a broken body does not tell them', () => {
    expect(() => decodeText('{"password":"s3cr3t" oops')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('s3cr3t') }),
    );
  });
});
