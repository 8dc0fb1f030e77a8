import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextBroker } from '../../lib/policy/strategy.js';

const sizes = fc.integer({ min: 1, max: 8 });
const chances = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));

const listOf = (size: number) => Array.from({ length: size }, (_, index) => `broker-${index}`);

/** Dials that all fail, cut into rounds. */
function rounds(brokers: readonly string[], random: () => number, count: number): string[][] {
  const next = nextBroker('shuffle', brokers, random);
  const failed: string[] = [];
  return Array.from({ length: count }, () =>
    brokers.map(() => {
      const broker = next(failed);
      failed.push(broker);
      return broker;
    }),
  );
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

  it('never begins a round with the broker that the last one ended on', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), chances, (size, stream) => {
        const dialled = rounds(listOf(size), drawnFrom(stream), 6).flat();
        dialled.slice(1).forEach((broker, index) => expect(broker).not.toBe(dialled[index]));
      }),
    );
  });

  it('draws anew for each round', () => {
    // Chance just below 1 keeps the order of the list, 0 rotates it.
    const draws = [0.99, 0.99, 0, 0];
    const random = () => draws.shift() ?? 0;
    expect(rounds(['a', 'b', 'c'], random, 2)).toEqual([
      ['a', 'b', 'c'],
      ['b', 'c', 'a'],
    ]);
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
