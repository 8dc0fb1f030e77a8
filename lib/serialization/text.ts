import { SerializationError } from '../errors.js';
import { cannotDecode, cannotEncode } from '../serialization.messages.js';
import type { Serializer } from './serializer.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const text: Serializer = {
  name: 'text',
  contentType: 'text/plain',
  contentEncoding: 'utf-8',
  encode(body) {
    if (typeof body !== 'string') {
      throw new SerializationError(cannotEncode('text', `${typeof body} is not a string`));
    }
    return Buffer.from(body);
  },
  decode(content) {
    try {
      return utf8.decode(content);
    } catch (cause) {
      throw new SerializationError(cannotDecode('text', cause), { cause });
    }
  },
};
