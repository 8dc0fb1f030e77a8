import { ConfigurationError, SerializationError } from '../errors.js';
import { contentTypeRefused, unknownSerializer } from '../serialization.messages.js';
import { json } from './json.js';
import { isBytes, raw } from './raw.js';
import type { EncodedBody, Serializer } from './serializer.js';
import { text } from './text.js';

const serializers: ReadonlyMap<string, Serializer> = new Map(
  [json, text, raw].map((serializer) => [serializer.name, serializer]),
);

/** The names by which serializers are chosen and accepted. */
export const serializerNames: readonly string[] = [...serializers.keys()];

/** Content types that other clients use for the same; kombu calls its raw bytes `application/data`. */
const byContentType: ReadonlyMap<string, Serializer> = new Map([
  ['application/json', json],
  ['text/plain', text],
  ['application/octet-stream', raw],
  ['application/data', raw],
]);

/** @throws ConfigurationError when there is no serializer of that name */
function serializerNamed(name: string): Serializer {
  const serializer = serializers.get(name);
  if (serializer === undefined) {
    throw new ConfigurationError(unknownSerializer(name, serializerNames));
  }
  return serializer;
}

/** `Application/JSON; charset=utf-8` names the same type as `application/json`. */
function bareType(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/**
 * Writes a body: with the serializer that was asked for, else bytes as they are and everything else, strings too, as JSON.
 *
 * @throws SerializationError when the body cannot be written
 */
export function encodeBody(body: unknown, serializer?: string): EncodedBody {
  const chosen =
    serializer === undefined ? (isBytes(body) ? raw : json) : serializerNamed(serializer);
  const { contentType, contentEncoding } = chosen;
  return { content: chosen.encode(body), contentType, contentEncoding };
}

/**
 * Reads a body by its content type; one without a content type is bytes.
 *
 * @param accept names of the serializers that may be used
 * @throws SerializationError when the type is unknown or not accepted, or the content is not of that type
 */
export function decodeBody(
  content: Buffer,
  contentType: string | undefined,
  accept: readonly string[],
): unknown {
  const serializer = contentType === undefined ? raw : byContentType.get(bareType(contentType));
  if (serializer === undefined || !accept.includes(serializer.name)) {
    throw new SerializationError(contentTypeRefused(contentType, accept));
  }
  return serializer.decode(content);
}
