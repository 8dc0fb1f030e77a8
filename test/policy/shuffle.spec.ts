import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextBroker } from '../../lib/policy/strategy.js';

const sizes = fc.integer({ min: 1, max: 8 });
const chances = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));

const listOf = (size: number) => Array.from({ length: size }, (_, index) => `broker-${index}`);

/** Dials that all fail, cut into rounds. */
function rounds(brokers: readonly string[], random: () => number, count: number): string[][] {
  const next = nextBroker('shuffle', brokers, random);
  let last: string | undefined;
  return Array.from({ length: count }, () => {
    const failed: string[] = [];
    while (failed.length < brokers.length) {
      last = next(failed, last);
      failed.push(last);
    }
    return failed;
  });
}

const drawnFrom = (stream: Iterator<number>) => () => stream.next().value as number;

describe('shuffle', () => {
  it('tries each broker once a round, whatever chance says', () => {
    fc.assert(
      fc.property(sizes, chances, (size, stream) => {
        const brokers = listOf(size);
        for (const round of rounds(brokers, drawnFrom(stream), 5)) {
          expect(round.toSorted()).toEqual(brokers);
        }
      }),
    );
  });

  it('comes last in a round to the broker that the last one ended on', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), chances, (size, stream) => {
        const drawn = rounds(listOf(size), drawnFrom(stream), 6);
        drawn.slice(1).forEach((round, index) => expect(round.at(-1)).toBe(drawn[index]?.at(-1)));
      }),
    );
  });

  it('draws anew for each round', () => {
    // Chance just below 1 keeps the order of the list, 0 rotates it.
    const draws = [0.99, 0.99, 0, 0];
    const random = () => draws.shift() ?? 0;
    expect(rounds(['a', 'b', 'c'], random, 2)).toEqual([
      ['a', 'b', 'c'],
      ['b', 'a', 'c'],
    ]);
  });

  it('draws anew when nothing has failed, though the last draw is not used up', () => {
    const draws = [0.99, 0.99, 0, 0];
    const next = nextBroker('shuffle', ['a', 'b', 'c'], () => draws.shift() ?? 0);
    expect(next([], undefined)).toBe('a');
    expect([next([], 'a'), next(['b'], 'b'), next(['b', 'c'], 'c')]).toEqual(['b', 'c', 'a']);
  });

  it('draws from the whole list when the broker we come from is not of it', () => {
    const next = nextBroker('shuffle', ['a', 'b'], () => 0.99);
    expect([next([], 'x'), next(['a'], 'a')]).toEqual(['a', 'b']);
  });

  it('skips one of its draw that failed by other ways', () => {
    const next = nextBroker('shuffle', ['a', 'b', 'c'], () => 0.99);
    expect([next([], undefined), next(['a', 'b'], 'b')]).toEqual(['a', 'c']);
  });

  it('comes back to one that was handed out but did not fail, when the others have', () => {
    const draws = [0.99, 0.99, 0, 0];
    const next = nextBroker('shuffle', ['a', 'b', 'c'], () => draws.shift() ?? 0);
    next([], undefined);
    expect(next(['b'], 'b')).toBe('c');
    expect(next(['b', 'c'], 'c')).toBe('a');
  });

  it('still answers when every broker has failed', () => {
    const next = nextBroker('shuffle', ['a', 'b'], () => 0.99);
    expect(next(['a', 'b'], 'a')).toBe('b');
  });

  it.each([
    { draws: [0, 0], round: ['b', 'c', 'a'] },
    { draws: [0, 0.99], round: ['c', 'b', 'a'] },
    { draws: [0.34, 0], round: ['c', 'a', 'b'] },
    { draws: [0.34, 0.99], round: ['a', 'c', 'b'] },
    { draws: [0.99, 0], round: ['b', 'a', 'c'] },
    { draws: [0.99, 0.99], round: ['a', 'b', 'c'] },
  ])('can draw every order: $round for chances of $draws', ({ draws, round }) => {
    const left = [...draws];
    expect(rounds(['a', 'b', 'c'], () => left.shift() ?? 0, 1)).toEqual([round]);
  });
});
