import { SerializationError } from '../errors.js';
import { headerKeyTooLong, headerRefused, headersTooLarge } from '../serialization.messages.js';
import { isDangerousKey } from './dangerous-keys.js';

/** A header table of ours: it has no prototype, so that no header can be mistaken for a method. */
export type Headers = Record<string, unknown>;

const table = (): Headers => Object.create(null) as Headers;

/** What was received, without a prototype and without keys that could reach into one, at any depth. */
export function safeHeaders(received: Readonly<Record<string, unknown>> | undefined): Headers {
  const safe = table();
  for (const [key, value] of Object.entries(received ?? {})) {
    if (!isDangerousKey(key)) safe[key] = safeValue(value);
  }
  return safe;
}

function safeValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(safeValue);
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  return safeHeaders(value as Record<string, unknown>);
}

const DEEPEST = 32;

const LONGEST_KEY = 255;

// amqplib encodes tables in a buffer of 64 KiB; a little is left for the header that marks what is sent again.
const LARGEST_TABLE = 65_536 - 64;

// amqplib sends large numbers as doubles, but not those below the least 64-bit integer, and takes a number of this size or
// more for an integer, fraction or not.
const LEAST = -(2 ** 63);
const LARGEST_FRACTION = 2 ** 50;

const isSendable = (value: number): boolean =>
  Number.isFinite(value) &&
  value >= LEAST &&
  (Number.isInteger(value) || Math.abs(value) < LARGEST_FRACTION);

/** Headers that can be sent. */
export interface EncodableHeaders {
  readonly table: Headers;
  /** The most bytes it takes on the wire. */
  readonly size: number;
}

/**
 * A copy of headers that are to be sent; the caller's object is never touched.
 *
 * @throws SerializationError naming the key of a value that AMQP has no type for, or that amqplib would send as something
 * else: `Date` and `Map` (sent as empty tables), bigint, NaN, functions, symbols, and what is circular; of a key of more than
 * 255 bytes; and of the largest header when all of them exceed 64 KiB
 */
export function encodableHeaders(given: Readonly<Record<string, unknown>>): EncodableHeaders {
  const copy = encodableTable(given, '', 0);
  const size = sizeOfTable(copy);
  if (size <= LARGEST_TABLE) return { table: copy, size };
  const [largest = ''] = Object.entries(copy)
    .toSorted(([, one], [, other]) => sizeOf(other) - sizeOf(one))
    .map(([key]) => key);
  throw new SerializationError(headersTooLarge(size, LARGEST_TABLE, largest));
}

function encodableTable(given: object, path: string, depth: number): Headers {
  const copy = table();
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const inner = path === '' ? key : `${path}.${key}`;
    if (key.length > LONGEST_KEY / 3 && Buffer.byteLength(key) > LONGEST_KEY) {
      throw new SerializationError(headerKeyTooLong(inner, LONGEST_KEY));
    }
    copy[key] = encodable(value, inner, depth + 1);
  }
  return copy;
}

function encodable(value: unknown, path: string, depth: number): unknown {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && isSendable(value)) return value;
  if (typeof value === 'object') return encodableObject(value, path, depth);
  throw new SerializationError(headerRefused(path, value));
}

function encodableObject(value: object | null, path: string, depth: number): unknown {
  if (value === null) return value;
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  if (depth > DEEPEST) throw new SerializationError(headerRefused(path, value));
  if (Array.isArray(value)) {
    // Not map(), which leaves out holes.
    return Array.from(value, (item, index) => encodable(item, `${path}[${index}]`, depth + 1));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new SerializationError(headerRefused(path, value));
  }
  return encodableTable(value, path, depth);
}

/** Field tables and arrays begin with 4 bytes of length; a value with one of type, a key with one of length. */
function sizeOfTable(headers: Headers): number {
  let size = 4;
  for (const key in headers) size += 1 + Buffer.byteLength(key) + sizeOf(headers[key]);
  return size;
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return 5 + Buffer.byteLength(value);
  if (typeof value !== 'object' || value === null) return 9;
  if (Buffer.isBuffer(value)) return 5 + value.length;
  if (Array.isArray(value)) return value.reduce<number>((size, item) => size + sizeOf(item), 5);
  return 1 + sizeOfTable(value as Headers);
}
