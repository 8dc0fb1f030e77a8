import type { Binding } from './binding.js';
import { Exchange } from './exchange.js';
import { queueArguments } from './queue-arguments.js';
import type { Queue } from './queue.js';

// The order of keys must not matter, and 1, 1n, '1' and bytes must differ.
function stable(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (Buffer.isBuffer(value)) return `bytes:${value.toString('base64')}`;
  if (Array.isArray(value)) return `[${value.map(stable).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? String(value);
  if (value instanceof Date) return `date:${value.getTime()}`;
  const entries = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${stable(member)}`);
  return `{${entries.join()}}`;
}

const bindingKey = ({ exchange, routingKey, arguments: args }: Binding): string =>
  stable([exchangeKey(exchange), routingKey, args]);

function exchangeKey(exchange: Exchange): string {
  const { name, type, durable, autoDelete, internal, passive, noDeclare } = exchange;
  const flags = { durable, autoDelete, internal, passive, noDeclare };
  return stable([
    'exchange',
    name,
    type,
    flags,
    exchange.arguments,
    exchange.bindings.map(bindingKey),
  ]);
}

function queueKey(queue: Queue): string {
  const { name, durable, exclusive, autoDelete, passive, noDeclare } = queue;
  const flags = { durable, exclusive, autoDelete, passive, noDeclare };
  const binding = [exchangeKey(queue.exchange), queue.routingKey, queue.bindingArguments];
  return stable(['queue', name, flags, queue.arguments, binding, queue.bindings.map(bindingKey)]);
}

/**
 * The same text for two entities exactly if declaring both does the same: name, options, arguments and bindings. (kombu
 * goes by the name alone and so takes a queue for declared that is not.)
 */
export const declarationKey = (entity: Exchange | Queue): string =>
  entity instanceof Exchange ? exchangeKey(entity) : queueKey(entity);

/**
 * Whether it is enough to declare the entity once a connection. Not for one that the broker deletes by itself
 * (`autoDelete`, `expires`), nor for one that gets a new name each time.
 */
export function canCacheDeclaration(entity: Exchange | Queue): boolean {
  if (entity.autoDelete) return false;
  if (entity instanceof Exchange) return true;
  return entity.name !== '' && entity.arguments[queueArguments.expires] === undefined;
}
