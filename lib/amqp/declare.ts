import { isAmqpError, TopologyError } from '../errors.js';
import type { Binding } from './binding.js';
import type { Channel } from './channel.js';
import { bindingName, exchangeName, notDeclared, queueName } from './entity.messages.js';
import type { Exchange } from './exchange.js';
import type { Queue } from './queue.js';

async function naming<R>(entity: string, step: () => Promise<R>): Promise<R> {
  try {
    return await step();
  } catch (error) {
    // A lost connection says nothing about the topology.
    if (isAmqpError(error) && error.fault.scope === 'connection') throw error;
    const code = isAmqpError(error) ? error.code : undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TopologyError(notDeclared(entity, reason, code), entity, code, { cause: error });
  }
}

// A broker reserves `amq.` and refuses (403) to declare under it.
const reserved = (name: string): boolean => name.startsWith('amq.');

async function declareAlone(channel: Channel, exchange: Exchange): Promise<void> {
  const { name, type, durable, autoDelete, internal } = exchange;
  if (name === '' || reserved(name)) return;
  await naming<unknown>(exchangeName(name), () =>
    exchange.passive
      ? channel.checkExchange(name)
      : channel.assertExchange(name, type, {
          durable,
          autoDelete,
          internal,
          arguments: exchange.arguments,
        }),
  );
}

/**
 * Declares an exchange, then what it is bound to. The default exchange and `amq.*` are only bound; `noDeclare` does
 * nothing; `passive` only checks that it exists, and binds.
 *
 * @throws TopologyError naming the exchange or binding, with the `AmqpError` as its cause
 * @throws AmqpError if the connection was lost
 */
export async function declareExchange(channel: Channel, exchange: Exchange): Promise<void> {
  if (exchange.noDeclare) return;
  await declareAlone(channel, exchange);
  for (const { exchange: source, routingKey, arguments: args } of exchange.bindings) {
    await declareExchange(channel, source);
    await naming(bindingName(exchangeName(exchange.name), source.name, routingKey), () =>
      channel.bindExchange(exchange.name, source.name, routingKey, { ...args }),
    );
  }
}

async function bind(
  channel: Channel,
  queue: string,
  { exchange, routingKey, arguments: args }: Pick<Binding, 'exchange' | 'routingKey' | 'arguments'>,
): Promise<void> {
  await naming(bindingName(queueName(queue), exchange.name, routingKey), () =>
    channel.bindQueue(queue, exchange.name, routingKey, { ...args }),
  );
}

/**
 * Declares a queue in kombu's order: its exchange, the queue, the binding (if the exchange has a name), then each further
 * binding with its exchange; last `onDeclared`, whose error is passed on as it is. `amq.*` is only bound; `noDeclare` does
 * nothing; `passive` only checks that the queue exists, and binds.
 *
 * @returns the queue's name, which for `''` is the one that the server gave
 * @throws TopologyError naming the queue, exchange or binding, with the `AmqpError` as its cause
 * @throws AmqpError if the connection was lost
 */
export async function declareQueue(channel: Channel, queue: Queue): Promise<string> {
  if (queue.noDeclare) return queue.name;
  await declareExchange(channel, queue.exchange);
  const { durable, exclusive, autoDelete } = queue;
  const declared = reserved(queue.name)
    ? undefined
    : await naming(queueName(queue.name), () =>
        queue.passive
          ? channel.checkQueue(queue.name)
          : channel.assertQueue(queue.name, {
              durable,
              exclusive,
              autoDelete,
              arguments: queue.arguments,
            }),
      );
  const name = declared?.queue ?? queue.name;
  if (queue.exchange.name !== '') {
    const { exchange, routingKey, bindingArguments } = queue;
    await bind(channel, name, { exchange, routingKey, arguments: bindingArguments });
  }
  for (const binding of queue.bindings) {
    await declareExchange(channel, binding.exchange);
    await bind(channel, name, binding);
  }
  if (declared !== undefined) {
    queue.onDeclared?.(name, declared.messageCount, declared.consumerCount);
  }
  return name;
}
