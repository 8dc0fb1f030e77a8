import { describe, expect, it } from 'vitest';
import type { FailoverStrategy } from '../../lib/policy/strategy.js';
import { failoverStrategies, nextBroker } from '../../lib/policy/strategy.js';

const random = () => 0;

/** Dials that all fail, so that failures accumulate. */
function dialled(strategy: FailoverStrategy<string>, brokers: readonly string[], times: number) {
  const next = nextBroker(strategy, brokers, random);
  const failed: string[] = [];
  while (failed.length < times) failed.push(next(failed));
  return failed.join('');
}

const answer = (strategy: FailoverStrategy<string>, failed: string) =>
  nextBroker(strategy, ['a', 'b', 'c'], random)(failed.split(''));

describe('round-robin', () => {
  it.each([
    { brokers: ['a'], sequence: 'aaaa' },
    { brokers: ['a', 'b'], sequence: 'ababab' },
    { brokers: ['a', 'b', 'c'], sequence: 'abcabcab' },
  ])('dials $sequence of $brokers', ({ brokers, sequence }) => {
    expect(dialled('round-robin', brokers, sequence.length)).toBe(sequence);
  });

  it.each([
    { failed: '', next: 'a' },
    { failed: 'a', next: 'b' },
    { failed: 'b', next: 'c' },
    { failed: 'c', next: 'a' },
    { failed: 'cb', next: 'c' },
    { failed: 'x', next: 'a' },
  ])('answers $next when "$failed" failed, the latest last', ({ failed, next }) => {
    expect(answer('round-robin', failed)).toBe(next);
  });
});

describe('priority', () => {
  it.each([
    { brokers: ['a'], sequence: 'aaaa' },
    { brokers: ['a', 'b'], sequence: 'ababab' },
    { brokers: ['a', 'b', 'c'], sequence: 'abcabcabc' },
  ])('dials $sequence of $brokers', ({ brokers, sequence }) => {
    expect(dialled('priority', brokers, sequence.length)).toBe(sequence);
  });

  it.each([
    { failed: '', next: 'a' },
    { failed: 'a', next: 'b' },
    { failed: 'b', next: 'a' },
    { failed: 'c', next: 'a' },
    { failed: 'ca', next: 'b' },
    { failed: 'ba', next: 'c' },
    { failed: 'x', next: 'a' },
  ])('answers $next when "$failed" failed, the latest last', ({ failed, next }) => {
    expect(answer('priority', failed)).toBe(next);
  });

  it.each([
    { failed: 'abc', next: 'a' },
    { failed: 'abca', next: 'b' },
    { failed: 'abcab', next: 'c' },
    { failed: 'cab', next: 'c' },
    { failed: 'cabc', next: 'a' },
  ])('answers $next when all have failed, in the order "$failed"', ({ failed, next }) => {
    expect(answer('priority', failed)).toBe(next);
  });
});

describe('a custom strategy', () => {
  it('is called once, with the list, and then dialled as its iterator says', () => {
    const lists: (readonly string[])[] = [];
    const strategy = function* (brokers: readonly string[]) {
      lists.push(brokers);
      for (;;) yield* ['c', 'c', 'a'];
    };
    expect(dialled(strategy, ['a', 'b', 'c'], 7)).toBe('ccaccac');
    expect(lists).toEqual([['a', 'b', 'c']]);
  });

  it('is refused when its iterator ends, also with a member of the list', () => {
    const ended: Iterator<string> = { next: () => ({ done: true, value: 'a' }) };
    expect(() => nextBroker(() => ended, ['a', 'b'], random)([])).toThrow('must be endless');
  });

  it('is refused when its iterator ends', () => {
    const next = nextBroker(() => ['a'].values(), ['a', 'b'], random);
    expect(next([])).toBe('a');
    expect(() => next(['a'])).toThrow(TypeError);
    expect(() => next(['a'])).toThrow('must be endless');
  });

  it.each(['x', undefined, 0])(
    'is refused when it yields %o, which the list does not hold',
    (one) => {
      const strangers = [one] as string[];
      const next = nextBroker(() => strangers.values(), ['a', 'b'], random);
      expect(() => next([])).toThrow(
        new TypeError(
          'the iterator of failoverStrategy yielded something that is not in the list of brokers',
        ),
      );
    },
  );

  it('passes on what its own iterator throws', () => {
    const fault = new Error('no more');
    const strategy = (): Iterator<string> => ({
      next: () => {
        throw fault;
      },
    });
    expect(() => nextBroker(strategy, ['a'], random)([])).toThrow(fault);
  });
});

describe('every named strategy', () => {
  it.each(failoverStrategies)('%s leaves the list and the failures as they were', (strategy) => {
    const brokers = Object.freeze(['a', 'b', 'c']);
    const next = nextBroker(strategy, brokers, random);
    for (const failed of [[], ['a'], ['a', 'b'], ['a', 'b', 'c']]) next(Object.freeze(failed));
    expect(brokers).toEqual(['a', 'b', 'c']);
  });

  it.each(failoverStrategies)('%s has nothing to choose when there is one broker', (strategy) => {
    expect(dialled(strategy, ['a'], 5)).toBe('aaaaa');
  });
});
