import { SerializationError } from '../errors.js';
import { cannotDecode, cannotEncode, noJsonFor } from '../serialization.messages.js';
import { isDangerousKey } from './dangerous-keys.js';
import type { Serializer } from './serializer.js';
import { findWithoutJson } from './without-json.js';

// A reviver makes parsing several times slower, so it runs only where such a key can be; \u may spell any of them.
const suspect = /__proto__|constructor|prototype|\\u/;

const utf8 = new TextDecoder('utf-8', { fatal: true });

const dropDangerous = (key: string, value: unknown): unknown =>
  isDangerousKey(key) ? undefined : value;

export const json: Serializer = {
  name: 'json',
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  encode(body) {
    let text: string | undefined;
    try {
      text = JSON.stringify(body);
    } catch (cause) {
      const culprit = findWithoutJson(body);
      const why = culprit === undefined ? cause : noJsonFor(culprit.path, culprit.what);
      throw new SerializationError(cannotEncode('json', why), { cause });
    }
    if (text === undefined) {
      throw new SerializationError(cannotEncode('json', noJsonFor('', typeof body)));
    }
    // Only a body with an empty object in it can have lost one: the others are not searched.
    const lost = text.includes('{}') ? findWithoutJson(body) : undefined;
    if (lost !== undefined) {
      throw new SerializationError(cannotEncode('json', noJsonFor(lost.path, lost.what)));
    }
    return Buffer.from(text);
  },
  decode(content) {
    try {
      const text = utf8.decode(content);
      return suspect.test(text) ? JSON.parse(text, dropDangerous) : JSON.parse(text);
    } catch (cause) {
      throw new SerializationError(cannotDecode('json', cause), { cause });
    }
  },
};
