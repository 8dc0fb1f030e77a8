import { FieldReader, type FieldType } from './field-reader.js';
import type { FrameFields } from './method-fields.js';

// Property flags from the highest bit down to message-id (AMQP 0-9-1, 4.2.6.1 and class basic).
const BEFORE_MESSAGE_ID: readonly (readonly [flag: number, type: FieldType])[] = [
  [1 << 15, 'shortstr'],
  [1 << 14, 'shortstr'],
  // A table is a 32-bit length and its bytes, so it is read over as a long string is.
  [1 << 13, 'longstr'],
  [1 << 12, 'octet'],
  [1 << 11, 'octet'],
  [1 << 10, 'shortstr'],
  [1 << 9, 'shortstr'],
  [1 << 8, 'shortstr'],
];
const MESSAGE_ID = 1 << 7;

/** Body size and message id of a content header's payload. */
export function headerFields(payload: Buffer): FrameFields {
  try {
    const fields: FrameFields = { bodySize: Number(payload.readBigUInt64BE(4)) };
    const flags = payload.readUInt16BE(12);
    if ((flags & MESSAGE_ID) === 0) return fields;
    const reader = new FieldReader(payload, 14);
    for (const [flag, type] of BEFORE_MESSAGE_ID) if ((flags & flag) !== 0) reader.read(type);
    return { ...fields, messageId: String(reader.read('shortstr')) };
  } catch {
    return {};
  }
}
