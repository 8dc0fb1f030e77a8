import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Flight } from '../../lib/failover/flight.js';
import { tagNotOutstanding } from '../../lib/publish.messages.js';

const flightOf = (count: number): Flight<number> => {
  const flight = new Flight<number>();
  for (let tag = 1; tag <= count; tag += 1) flight.add(tag);
  return flight;
};

/** The entries that are answered for by this tag. */
const answered = (flight: Flight<number>, tag: number, multiple = false): number[] => {
  const entries: number[] = [];
  flight.answer(tag, multiple, (entry) => entries.push(entry));
  return entries;
};

describe('the publishes in flight', () => {
  it('are answered one by one, in any order', () => {
    const flight = flightOf(3);
    expect([answered(flight, 2), answered(flight, 3), answered(flight, 1)]).toEqual([
      [2],
      [3],
      [1],
    ]);
    expect(flight.size).toBe(0);
  });

  it('are answered up to a tag, in order, but for those answered before', () => {
    const flight = flightOf(5);
    answered(flight, 2);
    expect(answered(flight, 4, true)).toEqual([1, 3, 4]);
    expect(flight.size).toBe(1);
  });

  it('are all answered by tag 0 with multiple', () => {
    expect(answered(flightOf(3), 0, true)).toEqual([1, 2, 3]);
  });

  const violations: [string, number, boolean][] = [
    ['that was answered', 2, false],
    ['that was never sent', 6, false],
    ['0 without multiple', 0, false],
    ['below zero', -1, false],
    ['that is no whole number', 1.5, false],
    ['never sent, with multiple', 6, true],
    ['up to which all are answered', 2, true],
  ];
  it.each(violations)('are not answered by a tag %s', (_, tag, multiple) => {
    const flight = flightOf(5);
    answered(flight, 2, true);
    expect(() => answered(flight, tag, multiple)).toThrow(tagNotOutstanding(tag, multiple));
    expect(flight.drain()).toEqual([3, 4, 5]);
  });

  it('when there are none, not even by tag 0', () => {
    expect(() => answered(flightOf(0), 0, true)).toThrow(tagNotOutstanding(0, true));
  });

  it('count on after an answer', () => {
    const flight = flightOf(2);
    answered(flight, 2, true);
    flight.add(3);
    expect(answered(flight, 3)).toEqual([3]);
  });

  it('are found, and given back in the order in which they were sent', () => {
    const flight = flightOf(4);
    answered(flight, 1);
    expect(flight.find((entry) => entry > 2)).toBe(3);
    expect(flight.find((entry) => entry === 1)).toBeUndefined();
    expect(flight.drain()).toEqual([2, 3, 4]);
    expect(flight.size).toBe(0);
  });

  it('are each answered at most once, whatever tags come', () => {
    const tags = fc.array(fc.tuple(fc.integer({ min: -1, max: 12 }), fc.boolean()));
    fc.assert(
      fc.property(fc.nat(10), tags, (count, confirmations) => {
        const flight = flightOf(count);
        const seen: number[] = [];
        const thrown: string[] = [];
        for (const [tag, multiple] of confirmations) {
          try {
            flight.answer(tag, multiple, (entry) => seen.push(entry));
          } catch (error) {
            thrown.push((error as Error).message);
          }
        }
        expect(thrown.every((message) => message.includes('outstanding'))).toBe(true);
        expect([...seen, ...flight.drain()].toSorted((a, b) => a - b)).toEqual(
          Array.from({ length: count }, (_, index) => index + 1),
        );
      }),
    );
  });
});
