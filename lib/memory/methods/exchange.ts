import {
  accessRefused,
  commandInvalid,
  named,
  notFound,
  preconditionFailed,
} from '../amqp-fault.js';
import type { Binding, Destination } from '../model/binding.js';
import { bindingOf, checkHeadersBinding, sameBinding } from '../model/binding.js';
import type { ExchangeType, MemoryExchange } from '../model/exchange.js';
import { exchangeTypes } from '../model/exchange.js';
import { assertSameArguments, assertSameProperty } from '../model/equivalence.js';
import type { ServerChannel } from '../session/server-channel.js';
import type { Fields } from '../wire/method-table.js';
import type { MethodHandlers } from './method-handlers.js';
import {
  assertNamesExchange,
  assertNotDefault,
  assertNotReserved,
  assertReachable,
  stripped,
} from './names.js';

export const exchangeMethods: MethodHandlers<
  'exchange.declare' | 'exchange.delete' | 'exchange.bind' | 'exchange.unbind'
> = {
  'exchange.declare': (channel, fields) => {
    const name = stripped(fields.exchange);
    if (fields.passive) {
      assertNotDefault(name);
      channel.vhost.exchange(name);
    } else declare(channel, name, fields);
    if (!fields.nowait) channel.send('exchange.declare-ok', {});
  },

  'exchange.delete': (channel, { exchange, ifUnused, nowait }) => {
    const { vhost } = channel;
    const name = stripped(exchange);
    const what = named('exchange', name, vhost.name);
    assertNotDefault(name);
    if (name.startsWith('amq.')) throw accessRefused(`deletion of system ${what} not allowed`);
    const found = vhost.exchanges.get(name);
    if (found !== undefined) {
      if (ifUnused && found.isBound) throw preconditionFailed(`${what} in use`);
      vhost.removeExchange(found);
    }
    if (!nowait) channel.send('exchange.delete-ok', {});
  },

  'exchange.bind': (channel, { destination, source, routingKey, nowait, arguments: table }) => {
    const to = { kind: 'exchange', name: stripped(destination) } as const;
    bind(channel, source, bindingOf(to, routingKey, table));
    if (!nowait) channel.send('exchange.bind-ok', {});
  },

  'exchange.unbind': (channel, { destination, source, routingKey, nowait, arguments: table }) => {
    const to = { kind: 'exchange', name: stripped(destination) } as const;
    unbind(channel, source, bindingOf(to, routingKey, table));
    if (!nowait) channel.send('exchange.unbind-ok', {});
  },
};

function declare(channel: ServerChannel, name: string, fields: Fields<'exchange.declare'>): void {
  const { vhost } = channel;
  const { type, durable, autoDelete, internal, arguments: table } = fields;
  const what = named('exchange', name, vhost.name);
  if (!exchangeTypes.includes(type as ExchangeType)) {
    throw commandInvalid(`unknown exchange type '${type}'`);
  }
  assertNotDefault(name);
  let exchange: MemoryExchange | undefined = vhost.exchanges.get(name);
  if (exchange === undefined) {
    assertNotReserved('exchange', name);
    assertNamesExchange(table, 'alternate-exchange', what);
    vhost.addExchange({
      name,
      type: type as ExchangeType,
      durable,
      autoDelete,
      internal,
      arguments: table,
    });
    exchange = vhost.exchange(name);
  }
  const { declaration } = exchange;
  assertSameProperty(what, 'type', declaration.type, type);
  assertSameProperty(what, 'durable', declaration.durable, durable);
  assertSameProperty(what, 'auto_delete', declaration.autoDelete, autoDelete);
  assertSameProperty(what, 'internal', declaration.internal, internal);
  assertSameArguments(what, declaration.arguments, table, ['alternate-exchange']);
}

/** Binds a queue or an exchange. @throws AmqpFault */
export function bind(channel: ServerChannel, source: string, binding: Binding): void {
  const { vhost } = channel;
  const { destination } = binding;
  assertBindable(destination, source);
  const exchange = vhost.exchange(stripped(source));
  if (destination.kind === 'exchange') vhost.exchange(destination.name);
  else assertQueue(channel, destination.name);
  if (exchange.declaration.type === 'headers') checkHeadersBinding(binding);
  exchange.bind(binding);
}

/** What is not bound, or is not there at all, is as good as unbound. */
export function unbind(channel: ServerChannel, source: string, binding: Binding): void {
  const { vhost } = channel;
  assertBindable(binding.destination, source);
  const exchange = vhost.exchanges.get(stripped(source));
  if (binding.destination.kind === 'queue') {
    const queue = vhost.queues.get(binding.destination.name);
    if (queue !== undefined) assertReachable(channel, queue);
  }
  if (exchange !== undefined) vhost.unbind(exchange, (one) => sameBinding(one, binding));
}

function assertBindable({ kind, name }: Destination, source: string): void {
  if (kind === 'exchange') assertNotDefault(name);
  assertNotDefault(stripped(source));
}

function assertQueue(channel: ServerChannel, name: string): void {
  const { vhost } = channel;
  const queue = vhost.queues.get(name);
  if (queue === undefined) throw notFound(`no ${named('queue', name, vhost.name)}`);
  assertReachable(channel, queue);
}
