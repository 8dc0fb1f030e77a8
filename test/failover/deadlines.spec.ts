import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deadlines } from '../../lib/failover/deadlines.js';
import { FakeClock } from './fakes/fake-clock.js';
import { entry } from './fakes/outbox-entries.js';

function deadlines() {
  const clock = new FakeClock();
  const passed: [number, number][] = [];
  const all = new Deadlines(clock, ({ number }) => passed.push([number, clock.now()]));
  const add = (number: number, timeout: number) => {
    const added = entry(number, { timeout, deadline: clock.now() + timeout });
    all.add(added);
    return added;
  };
  return { clock, passed, all, add };
}

describe('deadlines', () => {
  it('pass at their time, whatever the order of the timeouts', async () => {
    const { clock, passed, add } = deadlines();
    add(1, 50);
    add(2, 10);
    await clock.advance(5);
    add(3, 10);
    await clock.advance(100);
    expect(passed).toEqual([
      [2, 10],
      [3, 15],
      [1, 50],
    ]);
    expect(clock.pending).toBe(0);
  });

  it('pass for those that are left, whatever went before', async () => {
    const timeouts = fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.nat(40), fc.boolean()));
    await fc.assert(
      fc.asyncProperty(timeouts, async (added) => {
        const { clock, passed, all, add } = deadlines();
        const entries = added.map(([timeout], number) => add(number, timeout));
        const taken = new Set<number>();
        for (const [, pick, settles] of added) {
          const one = entries[pick % entries.length];
          if (one === undefined || !settles) continue;
          all.remove(one);
          taken.add(one.number);
        }
        const due = entries.filter(({ number }) => !taken.has(number));
        await clock.advance(30);
        expect(passed.toSorted(([left], [right]) => left - right)).toEqual(
          due.map(({ number, deadline }) => [number, deadline]),
        );
        expect(clock.pending).toBe(0);
      }),
    );
  });

  it('share one timer, which goes with the last of them', () => {
    const { clock, all, add } = deadlines();
    const entries = [add(1, 50), add(2, 10), add(3, 50)];
    expect(clock.pending).toBe(1);
    for (const one of entries) all.remove(one);
    expect(clock.pending).toBe(0);
  });

  it('do not pass for what was taken away', async () => {
    const { clock, passed, all, add } = deadlines();
    const first = add(1, 10);
    add(2, 10);
    all.remove(first);
    all.remove(first);
    await clock.advance(10);
    expect(passed).toEqual([[2, 10]]);
  });

  it('may pass while another one of the same time is taken away, or added', async () => {
    const clock = new FakeClock();
    const passed: number[] = [];
    const [one, two, three] = [1, 2, 3].map((number) =>
      entry(number, { timeout: 10, deadline: 10 }),
    );
    const late = entry(4, { timeout: 10, deadline: 20 });
    const all: Deadlines = new Deadlines(clock, ({ number }) => {
      passed.push(number);
      if (number !== 1 || two === undefined) return;
      all.remove(two);
      all.add(late);
    });
    for (const added of [one, two, three]) if (added !== undefined) all.add(added);
    await clock.advance(10);
    expect(passed).toEqual([1, 3]);
    await clock.advance(10);
    expect(passed).toEqual([1, 3, 4]);
    expect(clock.pending).toBe(0);
  });

  it('all pass, each once and in time', async () => {
    const timeouts = fc.array(
      fc.tuple(fc.oneof(fc.constantFrom(5, 10, 20), fc.integer({ min: 1, max: 60 })), fc.nat(15)),
    );
    await fc.assert(
      fc.asyncProperty(timeouts, async (added) => {
        const { clock, passed, add } = deadlines();
        const due: [number, number][] = [];
        for (const [index, [timeout, wait]] of added.entries()) {
          add(index, timeout);
          due.push([index, clock.now() + timeout]);
          await clock.advance(wait);
        }
        await clock.advance(100);
        const byNumber = passed.toSorted(([one], [other]) => one - other);
        expect(byNumber).toEqual(due);
      }),
      { numRuns: 50 },
    );
  });
});
