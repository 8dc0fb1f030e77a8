import { preconditionFailed } from '../amqp-fault.js';
import type { StoredMessage } from '../model/message.js';
import type { ServerChannel } from '../session/server-channel.js';
import type { Fields } from '../wire/method-table.js';
import { generated } from './names.js';

/** The pseudo-queue of RabbitMQ's direct reply-to; an address is this, a dot and a token. */
export const REPLY_TO = 'amq.rabbitmq.reply-to';

const addressOf = (token: string): string => `${REPLY_TO}.${token}`;

/** @throws AmqpFault */
export function consumeReplies(
  channel: ServerChannel,
  { consumerTag, noAck, nowait }: Fields<'basic.consume'>,
): void {
  if (!noAck) throw preconditionFailed('reply consumer cannot acknowledge');
  if (channel.replyConsumer !== undefined) {
    throw preconditionFailed('reply consumer already set');
  }
  const tag = consumerTag === '' ? generated('amq.ctag-') : consumerTag;
  const token = generated('g1h').replaceAll('.', '_');
  channel.replyConsumer = { tag, token };
  channel.session.host.replies.set(token, channel);
  if (!nowait) channel.send('basic.consume-ok', { consumerTag: tag });
}

export function cancelReplies(channel: ServerChannel): void {
  if (channel.replyConsumer === undefined) return;
  channel.session.host.replies.delete(channel.replyConsumer.token);
  channel.replyConsumer = undefined;
}

/** A request whose sender waits for replies here gets the full address. @throws AmqpFault when nobody waits */
export function withReplyAddress(channel: ServerChannel, message: StoredMessage): StoredMessage {
  if (message.decoded.replyTo !== REPLY_TO) return message;
  const { replyConsumer } = channel;
  if (replyConsumer === undefined) throw preconditionFailed('fast reply consumer does not exist');
  const replyTo = addressOf(replyConsumer.token);
  return message.with({ properties: { ...message.decoded, replyTo } });
}

/** Takes a reply straight to the channels that wait for it, if it is one. */
export function deliverReply({ session }: ServerChannel, message: StoredMessage): void {
  if (message.exchange !== '') return;
  for (const key of message.routingKeys) {
    if (!key.startsWith(`${REPLY_TO}.`)) continue;
    deliverTo(session.host.replies.get(key.slice(REPLY_TO.length + 1)), message);
  }
}

function deliverTo(channel: ServerChannel | undefined, message: StoredMessage): void {
  const { routingKey, exchange } = message;
  const consumer = channel?.replyConsumer;
  if (channel === undefined || consumer === undefined || !channel.canDeliver) return;
  const { tag: consumerTag } = consumer;
  // There is nothing to ack, so that it uses up no tag.
  const deliveryTag = channel.tagToCome;
  channel.send(
    'basic.deliver',
    { consumerTag, deliveryTag, redelivered: false, exchange, routingKey },
    message,
  );
}
