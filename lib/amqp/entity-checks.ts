import type { OptionCheck } from './option-checks.js';

// `never[]` takes the constructor of any class.
type Class = new (...args: never[]) => object;

export const instanceOf = (kind: Class, allowed: string): OptionCheck => ({
  allowed,
  accepts: (value) => value instanceof kind,
});

export const listOf = (kind: Class, allowed: string): OptionCheck => ({
  allowed: `an array of ${allowed}`,
  accepts: (value) => Array.isArray(value) && value.every((one) => one instanceof kind),
});
