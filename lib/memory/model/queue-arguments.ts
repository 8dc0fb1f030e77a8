import { named, preconditionFailed } from '../amqp-fault.js';
import type { FieldTable, FieldValue } from '../wire/field-value.js';
import { integerOf, sameValue, shownOf, textOf } from '../wire/field-value.js';

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

/** @returns what is wrong, in Erlang's words; undefined when nothing is */
type Check = (value: FieldValue, all: FieldTable) => string | undefined;

const wrongType = ({ type }: FieldValue): string => `{unacceptable_type,${type}}`;

const nonNegative: Check = (value) => {
  const number = integerOf(value);
  if (number === undefined) return wrongType(value);
  return number < 0 ? `{value_negative,${number}}` : undefined;
};

// Erlang's timers take no more.
const MOST_EXPIRY = 4_294_967_295;

const ttl: Check = (value, all) => {
  const problem = nonNegative(value, all);
  const number = integerOf(value) ?? 0;
  return problem ?? (number > MOST_EXPIRY ? `{value_too_big,${number}}` : undefined);
};

const expiry: Check = (value, all) => (integerOf(value) === 0 ? '{value_zero,0}' : ttl(value, all));

// RabbitMQ's own limit is 255.
const maxPriority: Check = (value, all) => {
  const problem = nonNegative(value, all);
  const number = integerOf(value) ?? 0;
  return problem ?? (number > 255 ? `{max_value_exceeded,${number}}` : undefined);
};

const string: Check = (value) => (value.type === 'longstr' ? undefined : wrongType(value));

const flag: Check = (value) => (value.type === 'bool' ? undefined : wrongType(value));

const oneOf =
  (problem: string, ...allowed: readonly string[]): Check =>
  (value) => {
    const text = textOf(value);
    if (text === undefined) return wrongType(value);
    return allowed.includes(text) ? undefined : problem;
  };

/** In the order in which RabbitMQ looks at them. */
const checks: readonly (readonly [key: string, check: Check, types: readonly QueueType[]])[] = [
  ['x-expires', expiry, ['classic', 'quorum']],
  ['x-message-ttl', ttl, ['classic', 'quorum']],
  ['x-dead-letter-exchange', string, ['classic', 'quorum']],
  [
    'x-dead-letter-routing-key',
    (value, all) => {
      if (value.type !== 'longstr') return wrongType(value);
      return all.has('x-dead-letter-exchange') ? undefined : 'routing_key_but_no_dlx_defined';
    },
    ['classic', 'quorum'],
  ],
  ['x-max-length', nonNegative, ['classic', 'quorum']],
  ['x-max-length-bytes', nonNegative, ['classic', 'quorum']],
  ['x-max-in-memory-length', nonNegative, ['quorum']],
  ['x-max-in-memory-bytes', nonNegative, ['quorum']],
  ['x-max-priority', maxPriority, ['classic']],
  [
    'x-overflow',
    oneOf('invalid_overflow', 'drop-head', 'reject-publish', 'reject-publish-dlx'),
    ['classic', 'quorum'],
  ],
  ['x-queue-mode', oneOf('invalid_queue_mode', 'default', 'lazy'), ['classic']],
  ['x-single-active-consumer', flag, ['classic', 'quorum']],
  ['x-quorum-initial-group-size', nonNegative, ['quorum']],
  ['x-delivery-limit', nonNegative, ['quorum']],
];

/** Known to the declaration, whatever becomes of them. */
const compared = [...checks.map(([key]) => key), 'x-queue-type'];

/** @throws AmqpFault for an argument that RabbitMQ refuses */
export function queueSettings(
  name: string,
  vhost: string,
  properties: {
    readonly durable: boolean;
    readonly exclusive: boolean;
    readonly autoDelete: boolean;
  },
  table: FieldTable,
): QueueSettings {
  const where = named('queue', name, vhost);
  const refuse = (key: string, problem: string): never => {
    throw preconditionFailed(`invalid arg '${key}' for ${where}: ${problem}`);
  };
  const type = typeOf(table, where);
  for (const [key, check] of checks) {
    const value = table.get(key);
    const problem = value === undefined ? undefined : check(value, table);
    if (problem !== undefined) refuse(key, problem);
  }
  if (type === 'quorum') checkQuorum(where, properties, table);
  else checkClassic(where, table);
  const number = (key: string): number | undefined => integerOf(table.get(key));
  const text = (key: string): string | undefined => textOf(table.get(key));
  return {
    type,
    messageTtl: number('x-message-ttl'),
    expires: number('x-expires'),
    maxLength: number('x-max-length'),
    maxLengthBytes: number('x-max-length-bytes'),
    overflow: (text('x-overflow') ?? 'drop-head') as QueueSettings['overflow'],
    maxPriority: number('x-max-priority') ?? 0,
    deadLetterExchange: text('x-dead-letter-exchange'),
    deadLetterRoutingKey: text('x-dead-letter-routing-key'),
    singleActiveConsumer: table.get('x-single-active-consumer')?.value === true,
    deliveryLimit: number('x-delivery-limit'),
  };
}

function typeOf(table: FieldTable, where: string): QueueType {
  const value = table.get('x-queue-type');
  if (value === undefined) return 'classic';
  const text = textOf(value);
  if (text === 'classic' || text === 'quorum') return text;
  const problem = text === undefined ? wrongType(value) : `"unsupported queue type '${text}'"`;
  throw preconditionFailed(`invalid arg 'x-queue-type' for ${where}: ${problem}`);
}

function checkQuorum(
  where: string,
  properties: {
    readonly durable: boolean;
    readonly exclusive: boolean;
    readonly autoDelete: boolean;
  },
  table: FieldTable,
): void {
  for (const [key, , types] of checks) {
    if (table.has(key) && !types.includes('quorum')) refuseForType(where, key, 'quorum');
  }
  if (textOf(table.get('x-overflow')) === 'reject-publish-dlx') {
    throw preconditionFailed(
      `invalid arg 'x-overflow' with value <<"reject-publish-dlx">> for ${where} of queue type rabbit_quorum_queue`,
    );
  }
  const refuse = (what: string): never => {
    throw preconditionFailed(`invalid property '${what}' for ${where}`);
  };
  if (!properties.durable) refuse('non-durable');
  if (properties.autoDelete) refuse('auto-delete');
  if (properties.exclusive) refuse('exclusive-owner');
}

function checkClassic(where: string, table: FieldTable): void {
  for (const [key, , types] of checks) {
    if (table.has(key) && !types.includes('classic')) refuseForType(where, key, 'classic');
  }
}

function refuseForType(where: string, key: string, type: QueueType): never {
  throw preconditionFailed(`invalid arg '${key}' for ${where} of queue type rabbit_${type}_queue`);
}

const described = (value: FieldValue | undefined): string => {
  if (value === undefined) return 'none';
  return `the value '${shownOf(value)}' of type '${value.type}'`;
};

/** @throws AmqpFault when a queue or exchange is declared again with other arguments */
export function assertSameArguments(
  what: string,
  current: FieldTable,
  received: FieldTable,
  keys: readonly string[] = compared,
): void {
  for (const key of keys) {
    const now = current.get(key);
    const wanted = received.get(key);
    const same =
      now === undefined || wanted === undefined ? now === wanted : sameValue(now, wanted);
    if (!same) throw inequivalent(what, key, described(wanted), described(now));
  }
}

/** @throws AmqpFault when a queue or exchange is declared again with another property */
export function assertSameProperty(
  what: string,
  key: string,
  current: string | boolean,
  received: string | boolean,
): void {
  if (current !== received) throw inequivalent(what, key, `'${received}'`, `'${current}'`);
}

const inequivalent = (what: string, key: string, received: string, current: string) =>
  preconditionFailed(
    `inequivalent arg '${key}' for ${what}: received ${received} but current is ${current}`,
  );
