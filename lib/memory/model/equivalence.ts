import { preconditionFailed } from '../amqp-fault.js';
import type { FieldTable, FieldValue } from '../wire/field-value.js';
import { integerOf, sameValue, textOf } from '../wire/field-value.js';
import { termOf } from '../wire/erlang-term.js';

/** @throws AmqpFault when a queue or exchange is declared again with other arguments. @param keys those that count */
export function assertSameArguments(
  what: string,
  current: FieldTable,
  received: FieldTable,
  keys: readonly string[],
): void {
  for (const key of keys) {
    const now = current.get(key);
    const wanted = received.get(key);
    if (!isSame(key, now, wanted))
      throw inequivalent(what, key, described(wanted, now), described(now, wanted));
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

function isSame(key: string, now: FieldValue | undefined, wanted: FieldValue | undefined): boolean {
  if (now !== undefined && wanted !== undefined) return isSameValue(now, wanted);
  // A queue without a type is a classic one.
  return now === wanted || (key === 'x-queue-type' && textOf(now ?? wanted) === 'classic');
}

/** Whatever their types are. */
function isSameValue(now: FieldValue, wanted: FieldValue): boolean {
  const number = integerOf(now);
  if (number !== undefined) return number === integerOf(wanted);
  if (Buffer.isBuffer(now.value) && Buffer.isBuffer(wanted.value)) {
    return now.value.equals(wanted.value);
  }
  return sameValue(now, wanted);
}

/** With its type where the other side has none, as RabbitMQ words it. */
const described = (value: FieldValue | undefined, other: FieldValue | undefined): string => {
  if (value === undefined) return 'none';
  // Erlang's undefined, which is a value and is not told from none.
  if (value.type === 'void' && other !== undefined) return 'none';
  const shown = Buffer.isBuffer(value.value) ? value.value.toString() : termOf(value);
  return other === undefined ? `the value '${shown}' of type '${value.type}'` : `'${shown}'`;
};

const inequivalent = (what: string, key: string, received: string, current: string) =>
  preconditionFailed(
    `inequivalent arg '${key}' for ${what}: received ${received} but current is ${current}`,
  );
