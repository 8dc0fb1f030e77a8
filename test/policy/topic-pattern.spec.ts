import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesTopic, topicPattern, topicsOverlap } from '../../lib/policy/topic-pattern.js';

const matches = (pattern: string, key: string): boolean => matchesTopic(topicPattern(pattern), key);

/** The definition, word for word, without regard to time. */
function matchesByDefinition(pattern: readonly string[], words: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return words.length === 0;
  if (first === '#') {
    return (
      matchesByDefinition(rest, words) ||
      (words.length > 0 && matchesByDefinition(pattern, words.slice(1)))
    );
  }
  return (
    words.length > 0 &&
    (first === '*' || first === words[0]) &&
    matchesByDefinition(rest, words.slice(1))
  );
}

const word = fc.constantFrom('a', 'b', 'c');
const key = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join('.'));
const pattern = fc
  .array(fc.oneof(word, fc.constantFrom('*', '#')), { minLength: 1, maxLength: 5 })
  .map((words) => words.join('.'));

describe('a topic pattern', () => {
  it.each([
    ['order.*', 'order.created', true],
    ['order.*', 'order', false],
    ['order.*', 'order.created.eu', false],
    ['order.#', 'order', true],
    ['order.#', 'order.created.eu', true],
    ['order.#', 'orders', false],
    ['#.eu', 'eu', true],
    ['#.eu', 'order.created.eu', true],
    ['#.eu', 'eu.order', false],
    ['#', '', true],
    ['*', '', true],
    ['', '', true],
    ['a.#.b.#.c', 'a.x.b.y.b.c', true],
    ['a.#.b.#.c', 'a.x.y.c', false],
  ])('%s and the key "%s": %s', (given, routingKey, expected) => {
    expect(matches(given, routingKey)).toBe(expected);
  });

  it('matches what its definition says, for any pattern and key', () => {
    fc.assert(
      fc.property(pattern, key, (p, k) => {
        expect(matches(p, k)).toBe(matchesByDefinition(p.split('.'), k.split('.')));
      }),
    );
  });

  it('overlaps with another exactly if a key matches both', () => {
    const words = ['a', 'b', 'c', 'd'];
    const keys = [1, 2, 3, 4, 5, 6].flatMap((length) =>
      Array.from({ length: words.length ** length }, (_, n) =>
        Array.from({ length }, (__, i) => words[Math.floor(n / words.length ** i) % words.length]),
      ).map((list) => list.join('.')),
    );
    const short = fc
      .array(fc.oneof(word, fc.constantFrom('*', '#')), { minLength: 1, maxLength: 3 })
      .map((list) => list.join('.'));
    fc.assert(
      fc.property(short, short, (a, b) => {
        const both = keys.some((k) => matches(a, k) && matches(b, k));
        expect(topicsOverlap(topicPattern(a), topicPattern(b))).toBe(both);
      }),
      { numRuns: 60 },
    );
  });
});
