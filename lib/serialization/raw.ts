import { SerializationError } from '../errors.js';
import { cannotEncode } from '../serialization.messages.js';
import type { Serializer } from './serializer.js';

export const raw: Serializer = {
  name: 'raw',
  contentType: 'application/octet-stream',
  contentEncoding: 'binary',
  encode(body) {
    if (Buffer.isBuffer(body)) return body;
    if (body instanceof Uint8Array) {
      return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    }
    throw new SerializationError(cannotEncode('raw', `${typeof body} is no Buffer or Uint8Array`));
  },
  decode: (content) => content,
};
