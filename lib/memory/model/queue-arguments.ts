import { named, notImplemented, preconditionFailed } from '../amqp-fault.js';
import type { FieldTable } from '../wire/field-value.js';
import { integerOf, textOf } from '../wire/field-value.js';
import type { Check } from './argument-checks.js';
import {
  deadLetterKey,
  expiry,
  flag,
  groupSize,
  maxPriority,
  nonNegative,
  oneOf,
  queueVersion,
  string,
  ttl,
  wrongType,
} from './argument-checks.js';

export type QueueType = 'classic' | 'quorum';

/** What the arguments of a declaration come to. Durations are milliseconds. */
export interface QueueSettings {
  readonly type: QueueType;
  readonly messageTtl: number | undefined;
  readonly expires: number | undefined;
  readonly maxLength: number | undefined;
  readonly maxLengthBytes: number | undefined;
  readonly overflow: 'drop-head' | 'reject-publish' | 'reject-publish-dlx';
  readonly maxPriority: number;
  readonly deadLetterExchange: string | undefined;
  readonly deadLetterRoutingKey: string | undefined;
  readonly singleActiveConsumer: boolean;
  readonly deliveryLimit: number | undefined;
}

/** What else a declaration says that its arguments must agree with. */
export interface QueueProperties {
  readonly durable: boolean;
  readonly exclusive: boolean;
  readonly autoDelete: boolean;
}

/** In the order in which RabbitMQ looks at them; what it does not look at is not here. */
const checks: Readonly<Record<string, Check>> = {
  'x-expires': expiry,
  'x-message-ttl': ttl,
  'x-dead-letter-exchange': string,
  'x-dead-letter-routing-key': deadLetterKey,
  'x-dead-letter-strategy': oneOf(() => 'invalid_dlx_strategy', 'at-most-once', 'at-least-once'),
  'x-max-length': nonNegative,
  'x-max-length-bytes': nonNegative,
  'x-max-in-memory-length': nonNegative,
  'x-max-in-memory-bytes': nonNegative,
  'x-max-priority': maxPriority,
  'x-overflow': oneOf(
    () => 'invalid_overflow',
    'drop-head',
    'reject-publish',
    'reject-publish-dlx',
  ),
  'x-queue-mode': oneOf((text) => `"unsupported queue mode '${text}'"`, 'default', 'lazy'),
  'x-queue-version': queueVersion,
  'x-single-active-consumer': flag,
  'x-quorum-initial-group-size': groupSize,
  'x-queue-leader-locator': oneOf(
    () => 'invalid_queue_locator_arg',
    'client-local',
    'balanced',
    'random',
    'least-leaders',
  ),
};

/** The arguments of each type, in the order in which RabbitMQ compares them. */
const known: Readonly<Record<QueueType, readonly string[]>> = {
  classic: [
    'x-expires',
    'x-message-ttl',
    'x-dead-letter-exchange',
    'x-dead-letter-routing-key',
    'x-max-length',
    'x-max-length-bytes',
    'x-max-priority',
    'x-overflow',
    'x-queue-mode',
    'x-queue-version',
    'x-single-active-consumer',
    'x-queue-type',
    'x-queue-master-locator',
  ],
  quorum: [
    'x-dead-letter-exchange',
    'x-dead-letter-routing-key',
    'x-dead-letter-strategy',
    'x-expires',
    'x-max-length',
    'x-max-length-bytes',
    'x-max-in-memory-length',
    'x-max-in-memory-bytes',
    'x-overflow',
    'x-single-active-consumer',
    'x-queue-type',
    'x-quorum-initial-group-size',
    'x-delivery-limit',
    'x-message-ttl',
    'x-queue-leader-locator',
  ],
};

const ofStreams = ['x-max-age', 'x-stream-max-segment-size-bytes', 'x-initial-cluster-size'];

/** Those of any type: one that is not of the queue's own type is refused. Others nobody knows, and nobody minds. */
const ofAny = new Set([...known.classic, ...known.quorum, ...ofStreams]);

/** The arguments that may not differ when a queue is declared again. */
export const comparedArguments = (type: QueueType): readonly string[] => known[type];

/** @throws AmqpFault for an argument that RabbitMQ refuses */
export function queueSettings(
  name: string,
  vhost: string,
  properties: QueueProperties,
  table: FieldTable,
): QueueSettings {
  const where = named('queue', name, vhost);
  const type = typeOf(table, where);
  checkArguments(where, type, table);
  if (type === 'quorum') checkQuorum(where, properties);
  const number = (key: string): number | undefined => integerOf(table.get(key));
  const text = (key: string): string | undefined => textOf(table.get(key));
  return {
    type,
    messageTtl: number('x-message-ttl'),
    expires: number('x-expires'),
    maxLength: number('x-max-length'),
    maxLengthBytes: number('x-max-length-bytes'),
    overflow: overflowOf(type, text('x-overflow')),
    maxPriority: number('x-max-priority') ?? 0,
    deadLetterExchange: text('x-dead-letter-exchange'),
    deadLetterRoutingKey: text('x-dead-letter-routing-key'),
    singleActiveConsumer: table.get('x-single-active-consumer')?.value === true,
    deliveryLimit: number('x-delivery-limit'),
  };
}

function checkArguments(where: string, type: QueueType, table: FieldTable): void {
  for (const [key, check] of Object.entries(checks)) {
    const value = known[type].includes(key) ? table.get(key) : undefined;
    const problem = value === undefined ? undefined : check(value, table);
    if (problem !== undefined) {
      throw preconditionFailed(`invalid arg '${key}' for ${where}: ${problem}`);
    }
  }
  for (const key of table.keys()) {
    if (!ofAny.has(key) || known[type].includes(key)) continue;
    throw preconditionFailed(
      `invalid arg '${key}' for ${where} of queue type rabbit_${type}_queue`,
    );
  }
}

/** A quorum queue knows no `reject-publish-dlx`, and drops from its head instead. */
function overflowOf(type: QueueType, given: string | undefined): QueueSettings['overflow'] {
  if (given === undefined || (type === 'quorum' && given === 'reject-publish-dlx'))
    return 'drop-head';
  return given as QueueSettings['overflow'];
}

function typeOf(table: FieldTable, where: string): QueueType {
  const value = table.get('x-queue-type');
  if (value === undefined) return 'classic';
  const text = textOf(value);
  if (text === 'classic' || text === 'quorum') return text;
  if (text === 'stream') throw notImplemented('streams are not part of the MemoryBroker');
  const problem = text === undefined ? wrongType(value) : `"unsupported queue type '${text}'"`;
  throw preconditionFailed(`invalid arg 'x-queue-type' for ${where}: ${problem}`);
}

function checkQuorum(where: string, { autoDelete, exclusive, durable }: QueueProperties): void {
  const refuse = (what: string): never => {
    throw preconditionFailed(`invalid property '${what}' for ${where}`);
  };
  if (autoDelete) refuse('auto-delete');
  if (exclusive) refuse('exclusive-owner');
  if (!durable) refuse('non-durable');
}
