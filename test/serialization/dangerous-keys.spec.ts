import { describe, expect, it } from 'vitest';
import { decodeBody } from '../../lib/serialization/codec.js';
import { safeHeaders } from '../../lib/serialization/headers.js';

const payloads = [
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"prototype":{"polluted":1}}',
  '{"a":{"__proto__":{"polluted":1}}}',
  '{"a":[{"b":{"__proto__":{"polluted":1}}}]}',
  '[{"__proto__":{"polluted":1}}]',
  String.raw`{"\u005f_proto__":{"polluted":1}}`,
  String.raw`{"\u005F\u005Fproto\u005F\u005F":{"polluted":1}}`,
  String.raw`{"__pro\u0074o__":{"polluted":1}}`,
  String.raw`{"c\u006fnstructor":{"prototype":{"polluted":1}}}`,
  '{"__proto__":null,"constructor":null}',
  '{"a":1,"__proto__":{"__proto__":{"polluted":1}}}',
];

/** As many libraries do it. */
function naiveMerge(target: Record<string, unknown>, source: Record<string, unknown>): void {
  for (const key of Object.keys(source)) {
    const value = source[key];
    if (typeof value === 'object' && value !== null) {
      target[key] ??= {};
      naiveMerge(target[key] as Record<string, unknown>, value as Record<string, unknown>);
    } else target[key] = value;
  }
}

const keysOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => [key].concat(keysOf(inner)))
    : [];

describe('what would reach into prototypes', () => {
  it.each(payloads)('is dropped from a body: %s', (payload) => {
    const body = decodeBody(Buffer.from(payload), 'application/json', ['json']);
    const found = keysOf(body);
    expect(found.filter((key) => /^(?:__proto__|constructor|prototype)$/u.test(key))).toEqual([]);
    naiveMerge({}, body as Record<string, unknown>);
    Object.assign({}, body);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it.each(payloads)('is dropped from headers: %s', (payload) => {
    const headers = safeHeaders({ x: JSON.parse(payload) as unknown });
    expect(keysOf(headers)).not.toContain('__proto__');
    expect(keysOf(headers)).not.toContain('constructor');
    expect(keysOf(headers)).not.toContain('prototype');
    naiveMerge({}, headers);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it('is told from what only looks like it', () => {
    const text = '{"constructors":1,"note":"__proto__","a":"\\u0041"}';
    expect(decodeBody(Buffer.from(text), 'application/json', ['json'])).toEqual({
      constructors: 1,
      note: '__proto__',
      a: 'A',
    });
  });
});

describe('received headers', () => {
  it('have no prototype, at any depth, and keep their values', () => {
    const bytes = Buffer.from('x');
    const headers = safeHeaders({ a: 1, list: [{ b: null }], bytes, table: { c: 'd' } });
    expect(Object.getPrototypeOf(headers)).toBeNull();
    expect(Object.getPrototypeOf(headers['table'])).toBeNull();
    expect(Object.getPrototypeOf((headers['list'] as unknown[])[0])).toBeNull();
    expect(headers['bytes']).toBe(bytes);
    expect(JSON.parse(JSON.stringify({ ...headers, bytes: 0 }))).toEqual({
      a: 1,
      list: [{ b: null }],
      bytes: 0,
      table: { c: 'd' },
    });
  });

  it('that are missing are none', () => {
    expect(Object.keys(safeHeaders(undefined))).toEqual([]);
  });
});
