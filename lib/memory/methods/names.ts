import { randomBytes } from 'node:crypto';
import {
  accessRefused,
  named,
  notFound,
  preconditionFailed,
  resourceLocked,
} from '../amqp-fault.js';
import type { MemoryQueue } from '../model/queue.js';
import type { ServerChannel } from '../session/server-channel.js';
import type { FieldTable } from '../wire/field-value.js';

/** A name as RabbitMQ makes them: `amq.gen-` or `amq.ctag-` and 22 characters. */
export const generated = (prefix: string): string =>
  `${prefix}${randomBytes(16).toString('base64url')}`;

/** Ends of lines are no part of the name of what is declared, bound or deleted. */
export const stripped = (name: string): string => name.replaceAll(/[\r\n]/gu, '');

/** @throws AmqpFault for the default exchange, which nobody may touch */
export function assertNotDefault(exchange: string): void {
  if (exchange === '') throw accessRefused('operation not permitted on the default exchange');
}

/** @throws AmqpFault for a name that is the broker's own */
export function assertNotReserved(kind: 'queue' | 'exchange', name: string): void {
  if (name.startsWith('amq.')) {
    throw accessRefused(`${kind} name '${name}' contains reserved prefix 'amq.*'`);
  }
}

/** The name that is meant: an empty one stands for the queue that was declared last on the channel. */
export function queueName({ lastQueue }: ServerChannel, name: string): string {
  if (name !== '') return name;
  if (lastQueue === undefined) throw notFound('no previously declared queue');
  return lastQueue;
}

/** @returns the queue, if this connection may use it @throws AmqpFault */
export function queueOf(channel: ServerChannel, name: string): MemoryQueue {
  const { vhost } = channel;
  const queue = vhost.queues.get(name);
  const what = named('queue', name, vhost.name);
  if (queue === undefined) throw notFound(`no ${what}`);
  assertReachable(channel, queue);
  return queue;
}

/** @throws AmqpFault when the queue is on a node that is down, or another connection's */
export function assertReachable(channel: ServerChannel, queue: MemoryQueue): void {
  const { store } = channel.session.host;
  const { home } = queue.declaration;
  const what = named('queue', queue.name, channel.vhost.name);
  if (!queue.isReplicated && !store.running.has(home)) {
    throw notFound(`home node '${home.name}' of durable ${what} is down or inaccessible`);
  }
  const { owner } = queue.declaration;
  if (owner !== undefined && owner !== channel.session) throw locked(what);
}

export const locked = (what: string) =>
  resourceLocked(
    `cannot obtain exclusive access to locked ${what}. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.`,
  );

/** @throws AmqpFault when an argument names an exchange with something else than a string */
export function assertNamesExchange(table: FieldTable, key: string, what: string): void {
  const field = table.get(key);
  if (field !== undefined && field.type !== 'longstr') {
    throw preconditionFailed(`invalid type '${field.type}' for arg '${key}' in ${what}`);
  }
}
