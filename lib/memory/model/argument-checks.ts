import type { FieldTable, FieldValue } from '../wire/field-value.js';
import { integerOf, textOf } from '../wire/field-value.js';

/** @returns what is wrong with an argument, in Erlang's words; undefined when nothing is */
export type Check = (value: FieldValue, all: FieldTable) => string | undefined;

export const wrongType = ({ type }: FieldValue): string => `{unacceptable_type,${type}}`;

export const integer: Check = (value) =>
  // A time is no number here.
  integerOf(value) === undefined || value.type === 'timestamp'
    ? `"expected integer, got ${value.type}"`
    : undefined;

/** Passes what is a number to another check. */
const ofNumber =
  (check: (number: number) => string | undefined): Check =>
  (value, all) =>
    integer(value, all) ?? check(integerOf(value) ?? 0);

const negative = (number: number): string | undefined =>
  number < 0 ? `{value_negative,${number}}` : undefined;

export const nonNegative = ofNumber(negative);

/** Ten years. */
export const MOST_EXPIRY = 315_360_000_000;

const duration = (number: number): string | undefined =>
  negative(number) ?? (number > MOST_EXPIRY ? `{value_too_large,${number}}` : undefined);

export const ttl = ofNumber(duration);

export const expiry = ofNumber((number) => (number === 0 ? '{value_zero,0}' : duration(number)));

export const groupSize = ofNumber((number) => (number === 0 ? '{value_zero,0}' : negative(number)));

export const maxPriority = ofNumber(
  // RabbitMQ's own limit.
  (number) => negative(number) ?? (number > 255 ? `{max_value_exceeded,${number}}` : undefined),
);

export const queueVersion = ofNumber(
  (number) =>
    negative(number) ??
    (number === 1 || number === 2 ? undefined : `"unsupported queue version '${number}'"`),
);

export const string: Check = (value) => (value.type === 'longstr' ? undefined : wrongType(value));

export const flag: Check = (value) => (value.type === 'bool' ? undefined : wrongType(value));

export const deadLetterKey: Check = (value, all) => {
  if (value.type !== 'longstr') return wrongType(value);
  return all.has('x-dead-letter-exchange') ? undefined : 'routing_key_but_no_dlx_defined';
};

export const oneOf =
  (problem: (text: string) => string, ...allowed: readonly string[]): Check =>
  (value) => {
    const text = textOf(value);
    if (text === undefined) return wrongType(value);
    return allowed.includes(text) ? undefined : problem(text);
  };
