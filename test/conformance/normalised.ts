import type { Observed } from './seat.js';

const generated = /amq\.(?:gen|ctag)-[\w-]{22}/gu;

/** Takes out of what was observed that which differs between two runs on one broker: names that it makes up, and times. */
export function normalised(
  observed: Observed,
  replaced: Readonly<Record<string, string>>,
): Observed {
  const names = new Map<string, string>();
  const text = (value: string): string => {
    let result = value;
    for (const [from, to] of Object.entries(replaced)) result = result.replaceAll(from, to);
    return result.replaceAll(generated, (name) => {
      const known = names.get(name) ?? `${name.slice(0, name.indexOf('-'))}-${names.size + 1}`;
      names.set(name, known);
      return known;
    });
  };
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return text(value);
    if (Buffer.isBuffer(value)) return `bytes ${value.toString('hex')}`;
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    const { time, ...rest } = value as Record<string, unknown>;
    const entries = Object.entries(rest).map(([key, one]) => [text(key), walk(one)]);
    // Of a death, in whole seconds.
    if (time !== undefined) entries.push(['time', typeof time]);
    return Object.fromEntries(entries);
  };
  return walk(observed);
}
