import {
  accessRefused,
  internalError,
  named,
  notImplemented,
  preconditionFailed,
} from '../amqp-fault.js';
import { headerRoutes } from '../model/header-routes.js';
import { MOST_EXPIRY } from '../model/argument-checks.js';
import { StoredMessage } from '../model/message.js';
import type { ServerChannel } from '../session/server-channel.js';
import { stringOf } from '../wire/erlang-term.js';
import type { Content } from '../wire/frame-writer.js';
import type { Fields } from '../wire/method-table.js';
import { deliverReply, withReplyAddress } from './direct-reply-to.js';
import { MalformedError } from '../wire/wire-reader.js';
import type { MethodHandlers } from './method-handlers.js';

export const basicMethods: MethodHandlers<'basic.publish'> = {
  'basic.publish': (channel, fields, content) => {
    const { vhost, confirms } = channel;
    if (fields.immediate) throw notImplemented('immediate=true');
    const exchange = vhost.exchange(fields.exchange);
    if (exchange.declaration.internal) {
      const what = named('exchange', exchange.name, vhost.name);
      throw accessRefused(`cannot publish to internal ${what}`);
    }
    const message = messageOf(channel, fields, content);
    const tag = confirms?.next() ?? 0;
    deliverReply(channel, message);
    const queues = vhost.route(message, exchange);
    if (queues.size === 0 && fields.mandatory) giveBack(channel, message);
    let taken = true;
    for (const queue of queues) {
      if (queue.publish(message) === 'rejected') taken = false;
    }
    if (taken) confirms?.ack(tag);
    else confirms?.nack(tag);
  },
};

/** @throws AmqpFault */
function messageOf(
  channel: ServerChannel,
  { exchange, routingKey }: Fields<'basic.publish'>,
  { properties, body }: Content,
): StoredMessage {
  const given = new StoredMessage(exchange, [routingKey], properties, body);
  const { userId, expiration } = decoded(given);
  const username = channel.session.user?.username;
  if (userId !== undefined && userId !== username) {
    throw preconditionFailed(
      `user_id property set to '${userId}' but authenticated user was '${username}'`,
    );
  }
  if (expiration !== undefined) assertExpiration(expiration);
  return withReplyAddress(channel, withFurtherKeys(given));
}

/** @throws AmqpFault when they are not what they should be: a channel of RabbitMQ dies of it */
function decoded(message: StoredMessage): StoredMessage['decoded'] {
  try {
    return message.decoded;
  } catch (error) {
    throw error instanceof MalformedError ? internalError() : error;
  }
}

function withFurtherKeys(message: StoredMessage): StoredMessage {
  const { headers, routingKey } = message;
  if (!headers.has('CC') && !headers.has('BCC')) return message;
  const cc = headerRoutes(headers, 'CC');
  const bcc = headerRoutes(headers, 'BCC');
  const kept = new Map(headers);
  // Blind: nobody who gets it is to know.
  kept.delete('BCC');
  return message.with({
    routingKeys: [routingKey, ...cc, ...bcc],
    properties: { ...message.decoded, headers: kept },
  });
}

/** @throws AmqpFault, in Erlang's words */
function assertExpiration(expiration: string): void {
  const [, digits, rest] = /^([+-]?\d+)?(.*)$/su.exec(expiration) ?? [];
  const number = BigInt(digits ?? 0);
  let problem: string | undefined;
  if (digits === undefined) problem = 'no_integer';
  else if (rest !== '') problem = `{leftover_string,${stringOf(rest ?? '')}}`;
  else if (number < 0) problem = `{value_negative,${number}}`;
  else if (number > MOST_EXPIRY) problem = `{value_too_large,${number}}`;
  if (problem !== undefined) {
    throw preconditionFailed(`invalid expiration '${expiration}': ${problem}`);
  }
}

function giveBack(channel: ServerChannel, message: StoredMessage): void {
  const { exchange, routingKey } = message;
  const reply = { replyCode: 312, replyText: 'NO_ROUTE', exchange, routingKey };
  channel.send('basic.return', reply, message);
}
