import { printable } from './printable.js';

/** What may be a URL with its login, or with a secret in its query, given in the place of something else. */
const looksLikeUrl = (text: string): boolean => /:\/\/|[@?]/u.test(text);

/** @returns a value as a sentence shows it: escaped, cut, what may be a URL not at all, and objects by their kind alone */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return looksLikeUrl(value)
        ? 'a string that looks like a URL (not shown)'
        : `"${printable(value, 64)}"`;
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
  `${owner} has no ${looksLikeUrl(key) ? 'option of that name' : `option "${printable(key, 64)}"`}; allowed: ${allowed.join(', ')}`;

export const notAnObject = (owner: string, value: unknown): string =>
  `${owner} takes an object of options, not ${shown(value)}`;
