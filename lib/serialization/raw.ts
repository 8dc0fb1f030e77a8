import { SerializationError } from '../errors.js';
import { cannotEncode } from '../serialization.messages.js';
import type { Serializer } from './serializer.js';

/** What is bytes already: a Buffer, a typed array, a DataView, an ArrayBuffer. */
export const isBytes = (body: unknown): body is NodeJS.ArrayBufferView | ArrayBufferLike =>
  ArrayBuffer.isView(body) || body instanceof ArrayBuffer || body instanceof SharedArrayBuffer;

export const raw: Serializer = {
  name: 'raw',
  contentType: 'application/octet-stream',
  contentEncoding: 'binary',
  encode(body) {
    if (Buffer.isBuffer(body)) return body;
    if (!isBytes(body)) {
      throw new SerializationError(
        cannotEncode('raw', `${typeof body} is no Buffer or Uint8Array`),
      );
    }
    if (!ArrayBuffer.isView(body)) return Buffer.from(body);
    return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  },
  decode: (content) => content,
};
