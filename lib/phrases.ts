import type { BrokerFailure } from './errors.js';
import { printable } from './printable.js';

/** @returns text that came from outside, as a sentence shows it: in quotes, escaped and cut */
export const quoted = (text: string): string => `"${printable(text, 64)}"`;

export const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

export const ms = (duration: number): string => `${Math.round(duration)} ms`;

export const inMs = (wait: number): string => (wait === 0 ? 'at once' : `in ${ms(wait)}`);

export const reasonOf = (cause: unknown): string =>
  cause instanceof Error ? cause.message : String(cause);

/** @returns the reason as a sentence with its full stop, for what another sentence follows */
export const sentenceOf = (cause: unknown): string => reasonOf(cause).replace(/[^.!?]$/, '$&.');

/** @returns the failures, each on a line of its own */
export const listed = (failures: readonly BrokerFailure[]): string =>
  failures.map(({ broker, error }) => `\n  ${broker}: ${error.message}`).join('');
