import type { Exchange } from '../amqp/exchange.js';
import { encodeBody } from '../serialization/codec.js';
import { encodableHeaders } from '../serialization/headers.js';
import type { EncodedBody } from '../serialization/serializer.js';
import type { OutgoingMessage } from './outbox-entry.js';
import type { PublishOptions } from './publish-options.js';

// A table without entries, which is made when there is one.
const noHeaders = { table: undefined, size: 4 } as const;

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
  const headers = options.headers === undefined ? noHeaders : encodableHeaders(options.headers);
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
  headers: Record<string, unknown> | undefined,
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
  const { priority, correlationId, type, appId, userId, timestamp } = options;
  if (priority !== undefined) properties.priority = priority;
  if (correlationId !== undefined) properties.correlationId = correlationId;
  if (type !== undefined) properties.type = type;
  if (appId !== undefined) properties.appId = appId;
  if (userId !== undefined) properties.userId = userId;
  if (timestamp !== undefined) properties.timestamp = timestamp;
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
