import type { Observed } from './seat.js';

const generated = /amq\.(?:gen|ctag)-[\w-]{22}/gu;

/** A time as amqplib decodes it, without its value. */
const timestampKind = (time: unknown): unknown =>
  typeof time === 'object' && time !== null && '!' in time && 'value' in time
    ? [time['!'], typeof time.value]
    : typeof time;

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
    const isDeath = 'reason' in value && 'queue' in value && 'time' in value;
    const entries = Object.entries(value).map(([key, one]) =>
      // In whole seconds, so that two runs differ.
      isDeath && key === 'time' ? [key, timestampKind(one)] : [text(key), walk(one)],
    );
    return Object.fromEntries(entries);
  };
  return walk(observed);
}
