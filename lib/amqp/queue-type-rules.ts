import { ConfigurationError } from '../errors.js';
import type { Arguments } from './entity-arguments.js';
import { deadLetterKeyAlone, notOfQueueType, overflowOfQuorum } from './entity.messages.js';
import { queueArguments } from './queue-arguments.js';

interface Declared {
  readonly name: string;
  readonly durable: boolean;
  readonly exclusive: boolean;
  readonly autoDelete: boolean;
  readonly arguments: Arguments;
}

type Named = keyof typeof queueArguments;

// What RabbitMQ's queue types (`capabilities()` of their modules) do not list, read on 3.10.
const NOT_SUPPORTED: Readonly<Record<string, readonly Named[]>> = {
  classic: ['deliveryLimit'],
  quorum: ['maxPriority'],
  stream: [
    'expires',
    'messageTtl',
    'maxLength',
    'maxPriority',
    'overflow',
    'deadLetterExchange',
    'deadLetterRoutingKey',
    'deliveryLimit',
    'singleActiveConsumer',
  ],
};

function unsupported(queue: Declared, type: string): string | undefined {
  if (type === 'quorum' || type === 'stream') {
    if (queue.name === '') return 'a name given by the server';
    if (!queue.durable) return 'durable: false';
    if (queue.exclusive) return 'exclusive: true';
    if (queue.autoDelete) return 'autoDelete: true';
  }
  return NOT_SUPPORTED[type]?.find(
    (option) => queue.arguments[queueArguments[option]] !== undefined,
  );
}

/** @throws ConfigurationError for what RabbitMQ would refuse (406) or, in one case, silently replace */
export function checkQueueType(entity: string, queue: Declared): void {
  const found = queue.arguments[queueArguments.type];
  const type = typeof found === 'string' ? found : '';
  const what = unsupported(queue, type);
  if (what !== undefined) throw new ConfigurationError(notOfQueueType(entity, type, what));
  if (type === 'quorum' && queue.arguments[queueArguments.overflow] === 'reject-publish-dlx') {
    throw new ConfigurationError(overflowOfQuorum(entity));
  }
  if (
    queue.arguments[queueArguments.deadLetterRoutingKey] !== undefined &&
    queue.arguments[queueArguments.deadLetterExchange] === undefined
  ) {
    throw new ConfigurationError(deadLetterKeyAlone(entity));
  }
}
