import { ConfigurationError } from '../errors.js';
import { notAnObject, optionRefused, secretRefused, unknownOption } from './option.messages.js';

/** What one option may be. */
export interface OptionCheck {
  /** In words, for the error. */
  readonly allowed: string;
  readonly accepts: (value: unknown) => boolean;
  /** The error must not show the value. */
  readonly secret?: boolean;
}

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

export const oneOf = (...values: readonly (string | number)[]): OptionCheck => ({
  allowed: values.join(', '),
  accepts: (value) => values.some((one) => one === value),
});

export const wholeNumber = (min: number, max: number, unit = ''): OptionCheck => ({
  allowed: `a whole number${unit === '' ? '' : ` of ${unit}`} from ${min} to ${max}`,
  accepts: (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max,
});

// AMQP's short string: its length is one octet.
const SHORT_STRING = 255;

/** A name or key that travels as an AMQP short string. */
export const shortString: OptionCheck = {
  allowed: `a string of at most ${SHORT_STRING} bytes in UTF-8`,
  accepts: (value) => typeof value === 'string' && Buffer.byteLength(value) <= SHORT_STRING,
};

/** @throws ConfigurationError naming the first key of `given` that is not in `checks` or whose value is refused */
export function checkOptions(
  owner: string,
  given: unknown,
  checks: Readonly<Record<string, OptionCheck>>,
): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new ConfigurationError(notAnObject(owner, given));
  }
  for (const [key, value] of Object.entries(given)) {
    const check = Object.hasOwn(checks, key) ? checks[key] : undefined;
    if (check === undefined) {
      throw new ConfigurationError(unknownOption(owner, key, Object.keys(checks)));
    }
    if (value !== undefined && !check.accepts(value)) {
      const sentence = check.secret === true ? secretRefused : optionRefused;
      throw new ConfigurationError(sentence(`${owner}: ${key}`, value, check.allowed));
    }
  }
}
