import { accessRefused, named, notAllowed, notImplemented, resourceLocked } from '../amqp-fault.js';
import { checkConsumerArguments } from '../model/consumer-arguments.js';
import type { MemoryQueue } from '../model/queue.js';
import { ChannelConsumer } from '../session/channel-consumer.js';
import { byQueue, requeue } from '../session/server-channel.js';
import type { ServerChannel } from '../session/server-channel.js';
import type { FieldTable } from '../wire/field-value.js';
import { REPLY_TO, cancelReplies, consumeReplies } from './direct-reply-to.js';
import type { MethodHandlers } from './method-handlers.js';
import { generated, queueName, queueOf } from './names.js';

export const consumeMethods: MethodHandlers<
  | 'basic.qos'
  | 'basic.consume'
  | 'basic.cancel'
  | 'basic.get'
  | 'basic.ack'
  | 'basic.nack'
  | 'basic.reject'
  | 'basic.recover'
  | 'basic.recover-async'
> = {
  'basic.qos': (channel, { prefetchSize, prefetchCount, global }) => {
    if (prefetchSize !== 0) throw notImplemented(`prefetch_size!=0 (${prefetchSize})`);
    channel.prefetch = global ? prefetchCount : 0;
    if (!global) channel.consumerPrefetch = prefetchCount;
    channel.send('basic.qos-ok', {});
    channel.serve();
  },

  'basic.consume': (channel, fields) => {
    const { queue: given, consumerTag, noAck, exclusive, nowait, arguments: table } = fields;
    if (channel.consumers.has(consumerTag)) {
      throw notAllowed(`attempt to reuse consumer tag '${consumerTag}'`);
    }
    if (given === REPLY_TO) {
      consumeReplies(channel, fields);
      return;
    }
    const queue = queueOf(channel, queueName(channel, given));
    assertConsumable(channel, queue, exclusive, table);
    const tag = consumerTag === '' ? generated('amq.ctag-') : consumerTag;
    const { consumerPrefetch: prefetch } = channel;
    const declaration = { tag, queue, noAck, exclusive, prefetch, arguments: table };
    const consumer = new ChannelConsumer(channel, declaration);
    channel.consumers.set(tag, consumer);
    queue.subscribe(consumer);
    if (!nowait) channel.send('basic.consume-ok', { consumerTag: tag });
    queue.serve();
  },

  'basic.cancel': (channel, { consumerTag, nowait }) => {
    const consumer = channel.consumers.get(consumerTag);
    if (consumer !== undefined) channel.cancel(consumer);
    else if (channel.replyConsumer?.tag === consumerTag) cancelReplies(channel);
    if (!nowait) channel.send('basic.cancel-ok', { consumerTag });
  },

  'basic.get': (channel, { queue: given, noAck }) => {
    const queue = queueOf(channel, queueName(channel, given));
    assertGettable(channel, queue);
    const queued = queue.get();
    if (queued === undefined) channel.send('basic.get-empty', { clusterId: '' });
    else channel.got(queued, queue, noAck);
  },

  'basic.ack': (channel, { deliveryTag, multiple }) => {
    const taken = channel.take(deliveryTag, multiple);
    byQueue(taken, (queue, messages) => queue.settled(messages.length));
    channel.serve();
  },

  'basic.nack': (channel, { deliveryTag, multiple, requeue: again }) => {
    give(channel, deliveryTag, multiple, again);
  },

  'basic.reject': (channel, { deliveryTag, requeue: again }) => {
    give(channel, deliveryTag, false, again);
  },

  'basic.recover': (channel, { requeue: again }) => {
    recover(channel, again);
    channel.send('basic.recover-ok', {});
  },

  'basic.recover-async': (channel, { requeue: again }) => recover(channel, again),
};

function give(channel: ServerChannel, tag: number, multiple: boolean, again: boolean): void {
  const taken = channel.take(tag, multiple);
  if (again) requeue(taken);
  else byQueue(taken, (queue, messages) => queue.reject(messages));
  channel.serve();
}

function recover(channel: ServerChannel, again: boolean): void {
  if (!again) throw notImplemented('requeue=false');
  requeue(channel.takeAll());
  channel.serve();
}

/** @throws AmqpFault */
function assertGettable(
  { vhost }: ServerChannel,
  { name, isReplicated, settings }: MemoryQueue,
): void {
  if (!isReplicated || !settings.singleActiveConsumer) return;
  const what = named('queue', name, vhost.name);
  throw resourceLocked(
    `cannot obtain access to locked ${what}. basic.get operations are not supported by quorum queues with single active consumer`,
  );
}

/** @throws AmqpFault */
function assertConsumable(
  channel: ServerChannel,
  queue: MemoryQueue,
  exclusive: boolean,
  table: FieldTable,
): void {
  const what = named('queue', queue.name, channel.vhost.name);
  const { consumers } = queue;
  const isTaken = consumers.hasExclusive || (exclusive && consumers.size > 0);
  // A quorum queue knows no exclusive consumers.
  if (isTaken && !queue.isReplicated) {
    throw accessRefused(`${what} in exclusive use`);
  }
  if (queue.isReplicated && channel.prefetch > 0) {
    throw notImplemented(`${what} does not support global qos`);
  }
  checkConsumerArguments(what, queue.settings.type, table);
}
