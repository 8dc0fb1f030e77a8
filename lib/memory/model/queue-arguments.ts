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
  if (number === undefined) return `"expected integer, got ${value.type}"`;
  return number < 0 ? `{value_negative,${number}}` : undefined;
};

/** Ten years. */
export const MOST_EXPIRY = 315_360_000_000;

const ttl: Check = (value, all) => {
  const problem = nonNegative(value, all);
  const number = integerOf(value) ?? 0;
  return problem ?? (number > MOST_EXPIRY ? `{value_too_large,${number}}` : undefined);
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
  (problem: (text: string) => string, ...allowed: readonly string[]): Check =>
  (value) => {
    const text = textOf(value);
    if (text === undefined) return wrongType(value);
    return allowed.includes(text) ? undefined : problem(text);
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
    oneOf(() => 'invalid_overflow', 'drop-head', 'reject-publish', 'reject-publish-dlx'),
    ['classic', 'quorum'],
  ],
  [
    'x-queue-mode',
    oneOf((text) => `"unsupported queue mode '${text}'"`, 'default', 'lazy'),
    ['classic'],
  ],
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
    overflow: overflowOf(type, text('x-overflow')),
    maxPriority: number('x-max-priority') ?? 0,
    deadLetterExchange: text('x-dead-letter-exchange'),
    deadLetterRoutingKey: text('x-dead-letter-routing-key'),
    singleActiveConsumer: table.get('x-single-active-consumer')?.value === true,
    deliveryLimit: number('x-delivery-limit'),
  };
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
  const refuse = (what: string): never => {
    throw preconditionFailed(`invalid property '${what}' for ${where}`);
  };
  if (properties.autoDelete) refuse('auto-delete');
  if (properties.exclusive) refuse('exclusive-owner');
  if (!properties.durable) refuse('non-durable');
}

function checkClassic(where: string, table: FieldTable): void {
  for (const [key, , types] of checks) {
    if (table.has(key) && !types.includes('classic')) refuseForType(where, key, 'classic');
  }
}

function refuseForType(where: string, key: string, type: QueueType): never {
  throw preconditionFailed(`invalid arg '${key}' for ${where} of queue type rabbit_${type}_queue`);
}

/** With its type where the other side has none, as RabbitMQ words it. */
const described = (value: FieldValue | undefined, other: FieldValue | undefined): string => {
  if (value === undefined) return 'none';
  const shown = shownOf(value);
  return other === undefined ? `the value '${shown}' of type '${value.type}'` : `'${shown}'`;
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
    if (!isSame(key, now, wanted))
      throw inequivalent(what, key, described(wanted, now), described(now, wanted));
  }
}

function isSame(key: string, now: FieldValue | undefined, wanted: FieldValue | undefined): boolean {
  if (now !== undefined && wanted !== undefined) return sameValue(now, wanted);
  // A queue without a type is a classic one.
  return now === wanted || (key === 'x-queue-type' && textOf(now ?? wanted) === 'classic');
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
