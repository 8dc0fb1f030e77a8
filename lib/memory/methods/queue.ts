import {
  internalError,
  named,
  notFound,
  notImplemented,
  preconditionFailed,
} from '../amqp-fault.js';
import { bindingOf } from '../model/binding.js';
import type { MemoryQueue } from '../model/queue.js';
import { assertSameArguments, assertSameProperty } from '../model/equivalence.js';
import { comparedArguments, queueSettings } from '../model/queue-arguments.js';
import type { ServerChannel } from '../session/server-channel.js';
import type { FieldTable } from '../wire/field-value.js';
import { textOf } from '../wire/field-value.js';
import type { Fields } from '../wire/method-table.js';
import { REPLY_TO } from './direct-reply-to.js';
import { bind, unbind } from './exchange.js';
import type { MethodHandlers } from './method-handlers.js';
import {
  assertNamesExchange,
  assertNotReserved,
  assertReachable,
  generated,
  locked,
  queueName,
  queueOf,
  stripped,
} from './names.js';

export const queueMethods: MethodHandlers<
  'queue.declare' | 'queue.bind' | 'queue.unbind' | 'queue.purge' | 'queue.delete'
> = {
  'queue.declare': (channel, fields) => {
    const queue = declared(channel, fields);
    channel.lastQueue = queue.name;
    const { name, ready: messageCount, consumers } = queue;
    if (fields.nowait) return;
    channel.send('queue.declare-ok', {
      queue: name,
      messageCount,
      consumerCount: consumers.size,
    });
  },

  'queue.bind': (channel, { queue, exchange, routingKey, nowait, arguments: table }) => {
    const name = stripped(queueName(channel, queue));
    // Both empty: the key is the name of the queue that was declared last.
    const key = queue === '' && routingKey === '' ? name : routingKey;
    bind(channel, exchange, bindingOf({ kind: 'queue', name }, key, table));
    if (!nowait) channel.send('queue.bind-ok', {});
  },

  'queue.unbind': (channel, { queue, exchange, routingKey, arguments: table }) => {
    const name = stripped(queueName(channel, queue));
    const key = queue === '' && routingKey === '' ? name : routingKey;
    unbind(channel, exchange, bindingOf({ kind: 'queue', name }, key, table));
    channel.send('queue.unbind-ok', {});
  },

  'queue.purge': (channel, { queue, nowait }) => {
    const messageCount = queueOf(channel, queueName(channel, queue)).purge();
    if (!nowait) channel.send('queue.purge-ok', { messageCount });
  },

  'queue.delete': (channel, { queue, ifUnused, ifEmpty, nowait }) => {
    const messageCount = remove(channel, stripped(queueName(channel, queue)), ifUnused, ifEmpty);
    if (!nowait) channel.send('queue.delete-ok', { messageCount });
  },
};

function remove(channel: ServerChannel, name: string, ifUnused: boolean, ifEmpty: boolean): number {
  const { vhost } = channel;
  const queue = vhost.queues.get(name);
  // It is as good as deleted.
  if (queue === undefined) return 0;
  assertReachable(channel, queue);
  const what = named('queue', name, vhost.name);
  if (queue.isReplicated && (ifUnused || ifEmpty)) {
    const option = ifUnused ? 'if-unused' : 'if-empty';
    throw notImplemented(
      `cannot delete ${what}. queue.delete operations with ${option} flag set are not supported by quorum queues`,
    );
  }
  if (ifEmpty && queue.ready > 0) throw preconditionFailed(`${what} not empty`);
  if (ifUnused && queue.consumers.size > 0) throw preconditionFailed(`${what} in use`);
  return vhost.removeQueue(queue);
}

type Declared = Pick<MemoryQueue, 'name' | 'ready'> & {
  readonly consumers: { readonly size: number };
};

function declared(channel: ServerChannel, fields: Fields<'queue.declare'>): Declared {
  if (fields.queue.startsWith(REPLY_TO)) return replyQueue(channel, stripped(fields.queue));
  if (!fields.passive) return declare(channel, fields);
  const found = queueOf(channel, stripped(fields.queue));
  found.used();
  return found;
}

function replyQueue({ session, vhost }: ServerChannel, name: string): Declared {
  const { replies } = session.host;
  const isThere = name === REPLY_TO || replies.has(name.slice(REPLY_TO.length + 1));
  if (!isThere) throw notFound(`no ${named('queue', name, vhost.name)}`);
  return { name, ready: 0, consumers: { size: 1 } };
}

/** @throws AmqpFault for a type whose queues have to have a name */
function assertServerNames(table: FieldTable): void {
  const type = table.get('x-queue-type');
  const text = textOf(type) ?? 'classic';
  if (text === 'quorum' || text === 'stream') {
    throw preconditionFailed(`Cannot declare a server-named queue for type rabbit_${text}_queue`);
  }
  // A type that RabbitMQ looks for before it has checked it.
  if (type !== undefined && textOf(type) !== 'classic') throw internalError();
}

function declare(channel: ServerChannel, fields: Fields<'queue.declare'>): MemoryQueue {
  const { vhost, session } = channel;
  const { exclusive, autoDelete, arguments: table } = fields;
  const durable = fields.durable && !exclusive;
  const owner = exclusive ? session : undefined;
  const given = stripped(fields.queue);
  if (given === '') assertServerNames(table);
  else assertNotReserved('queue', given);
  const name = given === '' ? generated('amq.gen-') : given;
  const what = named('queue', name, vhost.name);
  const existing = vhost.queues.get(name);
  if (existing !== undefined) {
    assertReachable(channel, existing);
    const { declaration, settings } = existing;
    if (declaration.owner !== owner) throw locked(what);
    assertSameProperty(what, 'durable', declaration.durable, durable);
    assertSameProperty(what, 'auto_delete', declaration.autoDelete, autoDelete);
    assertSameArguments(what, declaration.arguments, table, comparedArguments(settings.type));
    existing.used();
    return existing;
  }
  assertNamesExchange(table, 'x-dead-letter-exchange', what);
  const settings = queueSettings(name, vhost.name, { durable, exclusive, autoDelete }, table);
  return vhost.addQueue({
    name,
    durable,
    autoDelete,
    arguments: table,
    settings,
    owner,
    home: session.host,
  });
}
