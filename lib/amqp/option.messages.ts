import { printable } from './printable.js';
import { redact } from './redact.js';

/** @returns a value as a sentence shows it: escaped, cut, passwords masked, and objects by their kind alone */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `"${printable(redact(value))}"`;
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'bigint':
      return `${String(value)}n`;
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? 'an array' : 'an object';
    case 'function':
    case 'symbol':
      return `a ${typeof value}`;
  }
}

export const optionRefused = (option: string, value: unknown, allowed: string): string =>
  `${option} is ${shown(value)}; allowed: ${allowed}`;

export const secretRefused = (option: string, value: unknown, allowed: string): string =>
  `${option} is ${value === null ? 'null' : `of type ${typeof value}`}; allowed: ${allowed}`;

export const unknownOption = (owner: string, key: string, allowed: readonly string[]): string =>
  `${owner} has no option "${printable(key)}"; allowed: ${allowed.join(', ')}`;

export const notAnObject = (owner: string, value: unknown): string =>
  `${owner} takes an object of options, not ${shown(value)}`;
