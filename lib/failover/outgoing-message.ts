import type { Exchange } from '../amqp/exchange.js';
import { encodeBody } from '../serialization/codec.js';
import { encodableHeaders } from '../serialization/headers.js';
import type { EncodedBody } from '../serialization/serializer.js';
import type { OutgoingMessage } from './outbox-entry.js';
import type { PublishOptions } from './publish-options.js';

/** Properties that go to the broker as they were given. */
const passedOn = ['priority', 'correlationId', 'type', 'appId', 'userId', 'timestamp'] as const;

/**
 * Encodes a publish. The headers are a copy, the bytes of a body are not.
 *
 * @throws SerializationError naming the key of what cannot be encoded
 * @throws ConfigurationError when there is no such serializer
 */
export function outgoingMessage(
  messageId: string,
  body: unknown,
  options: PublishOptions,
): OutgoingMessage {
  const { queue, exchange = '', routingKey = queue?.name ?? '', serializer } = options;
  const target = typeof exchange === 'string' ? undefined : exchange;
  const { content, ...type } = encodeBody(body, serializer);
  const headers = encodableHeaders(options.headers ?? {});
  const properties = propertiesOf(messageId, type, headers.table, target, options);
  return {
    messageId,
    exchange: typeof exchange === 'string' ? exchange : exchange.name,
    routingKey,
    content,
    properties,
    propertiesSize: headers.size + sizeOf(properties),
  };
}

function propertiesOf(
  messageId: string,
  body: Omit<EncodedBody, 'content'>,
  headers: Record<string, unknown>,
  exchange: Exchange | undefined,
  options: PublishOptions,
): OutgoingMessage['properties'] {
  const { expiration, replyTo, deliveryMode = exchange?.deliveryMode ?? 'persistent' } = options;
  const properties: OutgoingMessage['properties'] = {
    messageId,
    contentType: options.contentType ?? body.contentType,
    contentEncoding: options.contentEncoding ?? body.contentEncoding,
    headers,
    mandatory: options.mandatory ?? exchange?.mandatory ?? true,
    deliveryMode: deliveryMode === 'persistent' || deliveryMode === 2 ? 2 : 1,
  };
  for (const key of passedOn) {
    if (options[key] !== undefined) Object.assign(properties, { [key]: options[key] });
  }
  // A part of a millisecond counts as a whole one: 0 would expire at once, in front of the consumer.
  if (expiration !== undefined) properties.expiration = String(Math.ceil(expiration));
  if (replyTo !== undefined) {
    properties.replyTo = typeof replyTo === 'string' ? replyTo : replyTo.name;
  }
  return properties;
}

// The frame around them, its flags, the numbers among them, and the header that marks what is sent again.
const FIXED_SIZE = 64;

/** @returns the most bytes that properties take on the wire, without their headers */
function sizeOf(properties: OutgoingMessage['properties']): number {
  let size = FIXED_SIZE;
  for (const value of Object.values(properties)) {
    if (typeof value === 'string') size += 1 + Buffer.byteLength(value);
  }
  return size;
}
