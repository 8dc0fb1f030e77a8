import { ConfigurationError } from '../errors.js';
import { notAllowed, unknownOption } from '../failover.messages.js';

/** A check of one option: says what is allowed when the value is not, else nothing. */
export type OptionCheck = (value: unknown) => string | undefined;

const number =
  (what: string, holds: (value: number) => boolean): OptionCheck =>
  (value) =>
    typeof value === 'number' && Number.isFinite(value) && holds(value) ? undefined : what;

/** Milliseconds, `min` or more. */
export const duration = (min = 0): OptionCheck =>
  number(`a number of milliseconds, ${min} or more`, (value) => value >= min);

/** A whole number, `min` or more. */
export const count = (min = 0): OptionCheck =>
  number(`a whole number, ${min} or more`, (value) => Number.isSafeInteger(value) && value >= min);

/** A share, 0 to 1. */
export const share: OptionCheck = number(
  'a number from 0 to 1',
  (value) => value >= 0 && value <= 1,
);

export const text: OptionCheck = (value) => (typeof value === 'string' ? undefined : 'a string');

export const flag: OptionCheck = (value) =>
  typeof value === 'boolean' ? undefined : 'true or false';

export const callable: OptionCheck = (value) =>
  typeof value === 'function' ? undefined : 'a function';

export const anything: OptionCheck = () => undefined;

export const abortSignal: OptionCheck = (value) =>
  value instanceof AbortSignal ? undefined : 'an AbortSignal';

export const oneOf =
  (...allowed: readonly unknown[]): OptionCheck =>
  (value) =>
    allowed.includes(value)
      ? undefined
      : allowed.map((one) => (typeof one === 'string' ? `'${one}'` : String(one))).join(' | ');

export const either =
  (...checks: readonly OptionCheck[]): OptionCheck =>
  (value) => {
    const refusals = checks.map((check) => check(value));
    return refusals.includes(undefined) ? undefined : refusals.join(', or ');
  };

export const listOf =
  (what: string, holds: (value: unknown) => boolean): OptionCheck =>
  (value) =>
    Array.isArray(value) && value.every(holds) ? undefined : `a list of ${what}`;

/**
 * Checks what a caller gave, key by key. An option that is undefined counts as not given.
 *
 * @throws ConfigurationError naming the option, its value and what is allowed; an unknown key is refused, since a misspelt
 * option that is ignored is worse than an error
 */
export function checkOptions(
  where: string,
  options: object,
  checks: Readonly<Record<string, OptionCheck>>,
): void {
  if (typeof options !== 'object' || options === null) {
    throw new ConfigurationError(notAllowed(where, 'options', options, 'an object'));
  }
  for (const [option, value] of Object.entries(options)) {
    const check = Object.hasOwn(checks, option) ? checks[option] : undefined;
    if (check === undefined) {
      throw new ConfigurationError(unknownOption(where, option, Object.keys(checks)));
    }
    const allowed = value === undefined ? undefined : check(value);
    if (allowed !== undefined) {
      throw new ConfigurationError(notAllowed(where, option, value, allowed));
    }
  }
}
