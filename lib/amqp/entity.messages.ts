import { printable } from '../printable.js';
import { redact } from './redact.js';

export const exchangeName = (name: string): string => `exchange "${printable(name)}"`;

export const queueName = (name: string): string => `queue "${printable(name)}"`;

export const bindingName = (destination: string, source: string, routingKey: string): string =>
  `binding of ${destination} to exchange "${printable(source)}" with routing key "${printable(routingKey)}"`;

export const argumentConflict = (entity: string, option: string, key: string): string =>
  `${entity}: ${option} and arguments["${key}"] differ; give one of them`;

export const notOfQueueType = (entity: string, type: string, what: string): string =>
  `${entity}: a ${type} queue cannot have ${what}; the broker would refuse it`;

export const overflowOfQuorum = (entity: string): string =>
  `${entity}: a quorum queue does not know overflow "reject-publish-dlx" and would drop messages instead; ` +
  'allowed: drop-head, reject-publish';

export const deadLetterKeyAlone = (entity: string): string =>
  `${entity}: deadLetterRoutingKey needs deadLetterExchange ("" is the default exchange)`;

export const defaultExchangeType = (type: string): string =>
  `the default exchange "" is of type direct, not "${printable(type)}"`;

export const defaultExchangeBinding = (entity: string): string =>
  `${entity}: nothing can be bound to the default exchange ""; every queue is bound to it by its name`;

const remedies: Readonly<Record<number, string>> = {
  403: 'The user may not declare it. Grant the permission, or declare it elsewhere and set passive or noDeclare.',
  404: 'It, or something it needs, does not exist. Declare that first; a queue whose node is down answers so too.',
  405: 'It belongs to another connection (exclusive) or is about to be deleted.',
  406: 'It exists with other options or arguments, or the broker does not support them. Make the declaration equal, or delete it.',
};

export const notDeclared = (entity: string, reason: string, code: number | undefined): string => {
  const remedy = code === undefined ? undefined : remedies[code];
  const sentence = `${entity} could not be declared: ${printable(redact(reason))}`;
  return remedy === undefined ? sentence : `${sentence}. ${remedy}`;
};
