const UNSAFE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;

const escape = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * Makes text that came from outside fit to be logged: C0 and C1 controls (line breaks and terminal escapes among them),
 * U+2028/9, bidirectional controls and lone surrogates are written as `\uXXXX`, and what is longer than `max` characters
 * is cut and ends in `…`.
 */
export function printable(text: string, max = 256): string {
  const escaped = text.slice(0, max).replace(UNSAFE, escape);
  return escaped.length > max || text.length > max ? `${escaped.slice(0, max)}…` : escaped;
}
