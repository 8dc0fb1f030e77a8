import { ConfigurationError } from '../errors.js';
import { notAnObject, optionRefused, secretRefused, unknownOption } from '../option.messages.js';

/** What one option may be. */
export interface OptionCheck {
  /** In words, for the error. */
  readonly allowed: string;
  readonly accepts: (value: unknown) => boolean;
  /** The error must not show the value. */
  readonly secret?: boolean;
}

type OptionChecks = Readonly<Record<string, OptionCheck>>;

const number = (allowed: string, holds: (value: number) => boolean): OptionCheck => ({
  allowed,
  accepts: (value) => typeof value === 'number' && Number.isFinite(value) && holds(value),
});

/** Milliseconds, `min` or more. */
export const duration = (min = 0): OptionCheck =>
  number(`a number of milliseconds, ${min} or more`, (value) => value >= min);

/** A whole number, `min` or more. */
export const count = (min = 0): OptionCheck =>
  number(`a whole number, ${min} or more`, (value) => Number.isSafeInteger(value) && value >= min);

/** A whole number from `min` to `max`. */
export const wholeNumber = (min: number, max: number, unit = ''): OptionCheck =>
  number(
    `a whole number${unit === '' ? '' : ` of ${unit}`} from ${min} to ${max}`,
    (value) => Number.isInteger(value) && value >= min && value <= max,
  );

/** A share, 0 to 1. */
export const share: OptionCheck = number(
  'a number from 0 to 1',
  (value) => value >= 0 && value <= 1,
);

export const text: OptionCheck = {
  allowed: 'a string',
  accepts: (value) => typeof value === 'string',
};

export const flag: OptionCheck = {
  allowed: 'true or false',
  accepts: (value) => typeof value === 'boolean',
};

export const callable: OptionCheck = {
  allowed: 'a function',
  accepts: (value) => typeof value === 'function',
};

/** An object literal (or a null-prototype object): no array, no class instance. */
export const plainObject: OptionCheck = {
  allowed: 'an object of keys and values',
  accepts: (value) => {
    if (typeof value !== 'object' || value === null) return false;
    const prototype: unknown = Object.getPrototypeOf(value);
    return prototype === null || prototype === Object.prototype;
  },
};

export const anything: OptionCheck = { allowed: 'anything', accepts: () => true };

export const abortSignal: OptionCheck = {
  allowed: 'an AbortSignal',
  accepts: (value) => value instanceof AbortSignal,
};

export const oneOf = (...values: readonly unknown[]): OptionCheck => ({
  allowed: values.map((one) => (typeof one === 'string' ? `'${one}'` : String(one))).join(' | '),
  accepts: (value) => values.includes(value),
});

export const either = (...checks: readonly OptionCheck[]): OptionCheck => ({
  allowed: checks.map(({ allowed }) => allowed).join(', or '),
  accepts: (value) => checks.some((check) => check.accepts(value)),
  secret: checks.some(({ secret }) => secret === true),
});

export const listOf = (what: string, holds: (value: unknown) => boolean): OptionCheck => ({
  allowed: `a list of ${what}`,
  accepts: (value) => Array.isArray(value) && value.every(holds),
});

// For an option that its check does not call secret, or that was put in the place of another.
const SECRET_NAME = /password|passphrase|secret|token|cred|url/iu;

/**
 * Checks what a caller gave, key by key. An option that is undefined counts as not given.
 *
 * @throws ConfigurationError naming the owner, the option, its value (unless that may be a secret) and what is allowed; an
 * unknown key is refused, since a misspelt option that is ignored is worse than an error
 */
export function checkOptions(owner: string, given: unknown, checks: OptionChecks): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new ConfigurationError(notAnObject(owner, given));
  }
  for (const key of Object.keys(given)) {
    const value = (given as Readonly<Record<string, unknown>>)[key];
    const check = Object.hasOwn(checks, key) ? checks[key] : undefined;
    if (check === undefined) {
      throw new ConfigurationError(unknownOption(owner, key, Object.keys(checks)));
    }
    if (value !== undefined && !check.accepts(value)) {
      const refused =
        check.secret === true || SECRET_NAME.test(key) ? secretRefused : optionRefused;
      throw new ConfigurationError(refused(`${owner}: ${key}`, value, check.allowed));
    }
  }
}
