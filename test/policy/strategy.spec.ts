import { describe, expect, it } from 'vitest';
import type { FailoverStrategy } from '../../lib/policy/strategy.js';
import { failoverStrategies, nextBroker } from '../../lib/policy/strategy.js';

const random = () => 0;

/** Dials that all fail, cut into rounds. */
function dialled(strategy: FailoverStrategy<string>, brokers: readonly string[], times: number) {
  const next = nextBroker(strategy, brokers, random);
  const all: string[] = [];
  while (all.length < times) {
    const ofThisRound = all.slice(all.length - (all.length % brokers.length));
    all.push(next(ofThisRound, all.at(-1)));
  }
  return all.join('');
}

const answer = (strategy: FailoverStrategy<string>, failed: string, last: string | undefined) =>
  nextBroker(strategy, ['a', 'b', 'c'], random)(failed.split(''), last);

describe('round-robin', () => {
  it.each([
    { brokers: ['a'], sequence: 'aaaa' },
    { brokers: ['a', 'b'], sequence: 'ababab' },
    { brokers: ['a', 'b', 'c'], sequence: 'abcabcab' },
  ])('dials $sequence of $brokers', ({ brokers, sequence }) => {
    expect(dialled('round-robin', brokers, sequence.length)).toBe(sequence);
  });

  it.each([
    { failed: '', last: undefined, next: 'a' },
    { failed: '', last: 'a', next: 'b' },
    { failed: '', last: 'c', next: 'a' },
    { failed: 'a', last: 'a', next: 'b' },
    { failed: 'cb', last: 'b', next: 'c' },
    { failed: 'b', last: 'a', next: 'b' },
    { failed: '', last: 'x', next: 'a' },
  ])('answers $next from $last when "$failed" failed', ({ failed, last, next }) => {
    expect(answer('round-robin', failed, last)).toBe(next);
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
    { failed: '', last: undefined, next: 'a' },
    { failed: '', last: 'a', next: 'b' },
    { failed: '', last: 'b', next: 'a' },
    { failed: '', last: 'c', next: 'a' },
    { failed: 'b', last: 'b', next: 'a' },
    { failed: 'ca', last: 'a', next: 'b' },
    { failed: 'ba', last: 'a', next: 'c' },
    { failed: 'a', last: 'b', next: 'c' },
    { failed: '', last: 'x', next: 'a' },
  ])('answers $next from $last when "$failed" failed', ({ failed, last, next }) => {
    expect(answer('priority', failed, last)).toBe(next);
  });

  it.each([
    { failed: 'abc', last: 'c', next: 'a' },
    { failed: 'cab', last: 'b', next: 'c' },
    { failed: 'cab', last: 'c', next: 'a' },
    { failed: 'ab', last: 'c', next: 'a' },
  ])(
    'answers $next, the oldest failure, from $last when all others of "$failed" failed',
    ({ failed, last, next }) => {
      expect(answer('priority', failed, last)).toBe(next);
    },
  );
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
    expect(() => nextBroker(() => ended, ['a', 'b'], random)([], undefined)).toThrow(
      'must be endless',
    );
  });

  it('is refused when its iterator ends', () => {
    const next = nextBroker(() => ['a'].values(), ['a', 'b'], random);
    expect(next([], undefined)).toBe('a');
    expect(() => next(['a'], 'a')).toThrow(TypeError);
    expect(() => next(['a'], 'a')).toThrow('must be endless');
  });

  it.each(['x', undefined, 0])(
    'is refused when it yields %o, which the list does not hold',
    (one) => {
      const strangers = [one] as string[];
      const next = nextBroker(() => strangers.values(), ['a', 'b'], random);
      expect(() => next([], undefined)).toThrow(
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
    expect(() => nextBroker(strategy, ['a'], random)([], undefined)).toThrow(fault);
  });
});

describe('every named strategy', () => {
  it.each(failoverStrategies)('%s leaves the list and the failures as they were', (strategy) => {
    const brokers = Object.freeze(['a', 'b', 'c']);
    const next = nextBroker(strategy, brokers, random);
    for (const failed of [[], ['a'], ['a', 'b'], ['a', 'b', 'c']]) {
      next(Object.freeze(failed), failed.at(-1));
    }
    expect(brokers).toEqual(['a', 'b', 'c']);
  });

  it.each(failoverStrategies)('%s has nothing to choose when there is one broker', (strategy) => {
    expect(dialled(strategy, ['a'], 5)).toBe('aaaaa');
  });
});
