import type { FieldTable } from './field-value.js';
import { MalformedError, WireReader } from './wire-reader.js';
import { WireWriter } from './wire-writer.js';

/** The properties of a message. */
export interface Properties {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly headers?: FieldTable;
  readonly deliveryMode?: number;
  readonly priority?: number;
  readonly correlationId?: string;
  readonly replyTo?: string;
  readonly expiration?: string;
  readonly messageId?: string;
  readonly timestamp?: bigint;
  readonly type?: string;
  readonly userId?: string;
  readonly appId?: string;
  readonly clusterId?: string;
}

/** In the order of their flags, the first of which is bit 15. */
const order = [
  ['contentType', 'shortstr'],
  ['contentEncoding', 'shortstr'],
  ['headers', 'table'],
  ['deliveryMode', 'octet'],
  ['priority', 'octet'],
  ['correlationId', 'shortstr'],
  ['replyTo', 'shortstr'],
  ['expiration', 'shortstr'],
  ['messageId', 'shortstr'],
  ['timestamp', 'longlong'],
  ['type', 'shortstr'],
  ['userId', 'shortstr'],
  ['appId', 'shortstr'],
  ['clusterId', 'shortstr'],
] as const;

/** Reads the flags and the properties of a content header. @throws MalformedError */
export function decodeProperties(bytes: Buffer): Properties {
  const reader = new WireReader(bytes);
  const flags = reader.short();
  const properties: Record<string, unknown> = {};
  for (const [index, [name, type]] of order.entries()) {
    if ((flags & (1 << (15 - index))) !== 0) properties[name] = reader[type]();
  }
  if (reader.left > 0) throw new MalformedError(`${reader.left} bytes after the properties`);
  return properties;
}

export function encodeProperties(properties: Properties): Buffer {
  const writer = new WireWriter(256);
  let flags = 0;
  for (const [index, [name]] of order.entries()) {
    if (properties[name] !== undefined) flags |= 1 << (15 - index);
  }
  writer.short(flags);
  for (const [name, type] of order) {
    const value = properties[name];
    if (value !== undefined) (writer[type] as (value: unknown) => void).call(writer, value);
  }
  return writer.take();
}
