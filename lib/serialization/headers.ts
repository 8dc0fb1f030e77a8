import { SerializationError } from '../errors.js';
import { headerRefused } from '../failover.messages.js';
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

/**
 * A copy of headers that are to be sent; the caller's object is never touched.
 *
 * @throws SerializationError naming the key of a value that AMQP has no type for, or that amqplib would send as something
 * else: `Date` and `Map` (sent as empty tables), bigint, NaN, functions, symbols, and what is circular
 */
export function encodableHeaders(given: Readonly<Record<string, unknown>>): Headers {
  const copy = table();
  for (const [key, value] of Object.entries(given)) {
    if (value !== undefined) copy[key] = encodable(value, key, 1);
  }
  return copy;
}

function encodable(value: unknown, path: string, depth: number): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value))
    return value;
  if (typeof value === 'object') return encodableObject(value, path, depth);
  throw new SerializationError(headerRefused(path, value));
}

function encodableObject(value: object | null, path: string, depth: number): unknown {
  if (value === null || Buffer.isBuffer(value)) return value;
  if (depth > DEEPEST) throw new SerializationError(headerRefused(path, value));
  if (Array.isArray(value)) {
    return value.map((item, index) => encodable(item, `${path}[${index}]`, depth + 1));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new SerializationError(headerRefused(path, value));
  }
  const copy = table();
  for (const [key, inner] of Object.entries(value)) {
    if (inner !== undefined) copy[key] = encodable(inner, `${path}.${key}`, depth + 1);
  }
  return copy;
}
