import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NextAttempt, Round } from '../../lib/policy/round.js';
import { afterAttempt, afterLoss, freshRound } from '../../lib/policy/round.js';

const policy = {
  intervalStart: 1,
  intervalStep: 1,
  intervalMax: 3,
  jitter: 0,
  refusedInterval: 10,
};
const random = () => 0;

type Step = (round: Round) => NextAttempt;

const dialFails =
  (brokers: number): Step =>
  (round) =>
    afterAttempt(round, brokers, policy, random);
const refuse =
  (brokers: number): Step =>
  (round) =>
    afterAttempt(round, brokers, policy, random, true);
const loss =
  (brokers: number, lived: boolean): Step =>
  (round) =>
    afterLoss(round, lived, brokers, policy, random);

function play(steps: readonly Step[], from: Round = freshRound): NextAttempt[] {
  let round = from;
  return steps.map((step) => {
    const next = step(round);
    round = next.round;
    return next;
  });
}

const repeat = (step: Step, times: number): Step[] => Array.from({ length: times }, () => step);
const waits = (attempts: readonly NextAttempt[]) => attempts.map((attempt) => attempt.wait);

describe('a round of failed attempts', () => {
  it.each([
    { brokers: 1, expected: [1, 2, 3, 3] },
    { brokers: 2, expected: [0, 1, 0, 2, 0, 3, 0, 3] },
    { brokers: 3, expected: [0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 3] },
  ])('waits $expected with $brokers broker(s)', ({ brokers, expected }) => {
    expect(waits(play(repeat(dialFails(brokers), expected.length)))).toEqual(expected);
  });

  it("waits kombu's 0, 1, 0, 2, 0, 3 for two hosts", () => {
    expect(waits(play(repeat(dialFails(2), 6)))).toEqual([0, 1, 0, 2, 0, 3]);
  });

  it('counts failures over all rounds, and rounds that failed as a whole', () => {
    const rounds = play(repeat(dialFails(2), 3)).map(({ round }) => round);
    expect(rounds).toEqual([
      { failures: 1, rounds: 0, failedNow: 1, refusedNow: 0 },
      { failures: 2, rounds: 1, failedNow: 0, refusedNow: 0 },
      { failures: 3, rounds: 1, failedNow: 1, refusedNow: 0 },
    ]);
  });

  it('is complete at once when the list got shorter than what has failed of it', () => {
    const next = afterAttempt({ ...freshRound, failures: 2, failedNow: 2 }, 2, policy, random);
    expect(next).toMatchObject({ completesRound: true, wait: 1 });
    expect(next.round).toEqual({ ...freshRound, failures: 3, rounds: 1 });
  });

  it('asks chance for the wait after a round, and has none to ask for within it', () => {
    const jittered = { ...policy, intervalStart: 1_000, intervalMax: 1_000, jitter: 0.5 };
    const within = afterAttempt(freshRound, 2, jittered, () => 0.5);
    const complete = afterAttempt(within.round, 2, jittered, () => 0.5);
    expect([within.wait, complete.wait]).toEqual([0, 750]);
  });

  it('leaves the round that it was given unchanged', () => {
    const given = Object.freeze({ ...freshRound, failures: 1, failedNow: 1 });
    afterAttempt(given, 2, policy, random);
    afterLoss(given, true, 2, policy, random);
    expect(given).toEqual({ ...freshRound, failures: 1, failedNow: 1 });
    expect(freshRound).toEqual({ failures: 0, rounds: 0, failedNow: 0, refusedNow: 0 });
  });

  it('waits after every n-th failure of n brokers and after no other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 60 }), (n, times) => {
        const attempts = play(repeat(dialFails(n), times));
        attempts.forEach(({ round, completesRound, wait }, index) => {
          const rounds = Math.floor((index + 1) / n);
          expect(completesRound).toBe((index + 1) % n === 0);
          expect(wait).toBe(completesRound ? Math.min(3, rounds) : 0);
          expect(round).toMatchObject({ failures: index + 1, rounds, failedNow: (index + 1) % n });
        });
      }),
    );
  });
});

describe('a round of refusals', () => {
  it.each([
    { name: 'both refuse', steps: [refuse(2), refuse(2)], refused: true, wait: 10 },
    { name: 'only the first refuses', steps: [refuse(2), dialFails(2)], refused: false, wait: 1 },
    { name: 'only the last refuses', steps: [dialFails(2), refuse(2)], refused: false, wait: 1 },
    { name: 'one drops us', steps: [refuse(2), loss(2, false)], refused: false, wait: 1 },
    { name: 'none refuses', steps: repeat(dialFails(2), 2), refused: false, wait: 1 },
  ])('when $name: refused $refused, wait $wait', ({ steps, refused, wait }) => {
    expect(play(steps).at(-1)).toMatchObject({ completesRound: true, refused, wait });
  });

  it('is not refused before it is complete', () => {
    expect(play([refuse(2)])[0]).toMatchObject({ completesRound: false, refused: false, wait: 0 });
  });

  it('leaves no refusal behind for the round after it', () => {
    const mixed = play([refuse(2), dialFails(2), dialFails(2), refuse(2)]);
    expect(mixed.map(({ refused }) => refused)).toEqual([false, false, false, false]);
    const again = play([...repeat(refuse(2), 4), ...repeat(dialFails(2), 2)]);
    expect(waits(again)).toEqual([0, 10, 0, 10, 0, 3]);
  });

  it('waits longer than refusedInterval when the usual wait is longer', () => {
    const slow = { ...policy, intervalStart: 50, intervalMax: 50 };
    expect(afterAttempt(freshRound, 1, slow, random, true).wait).toBe(50);
  });

  it.each([
    { chance: 0, wait: 10_000 },
    { chance: 0.5, wait: 11_000 },
    { chance: 0.75, wait: 11_500 },
  ])('spreads upwards, past intervalMax: $wait when chance says $chance', ({ chance, wait }) => {
    const spread = { ...policy, intervalMax: 10_000, refusedInterval: 10_000, jitter: 0.2 };
    expect(afterAttempt(freshRound, 1, spread, () => chance, true).wait).toBe(wait);
  });

  it('never waits less than refusedInterval, nor more than jitter and the usual wait allow', () => {
    const duration = fc.integer({ min: 0, max: 1e6 });
    const policies = fc.record({
      intervalStart: duration,
      intervalStep: duration,
      intervalMax: duration,
      refusedInterval: duration,
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(policies, chance, (given, drawn) => {
        const { wait } = afterAttempt(freshRound, 1, given, () => drawn, true);
        expect(wait).toBeGreaterThanOrEqual(given.refusedInterval);
        const most = Math.max(given.intervalMax, given.refusedInterval * (1 + given.jitter));
        expect(wait).toBeLessThanOrEqual(most);
      }),
    );
  });
});

describe('a lost connection', () => {
  it('starts afresh when it had lived, however long the outage before it was', () => {
    const worn = { failures: 41, rounds: 20, failedNow: 1, refusedNow: 1 };
    expect(afterLoss(worn, true, 2, policy, random)).toEqual({
      round: freshRound,
      completesRound: false,
      refused: false,
      wait: 0,
    });
  });

  it('that had lived gives one broker a redial at once, then the waits from the first', () => {
    const attempts = play([...repeat(dialFails(1), 3), loss(1, true), ...repeat(dialFails(1), 3)]);
    expect(waits(attempts)).toEqual([1, 2, 3, 0, 1, 2, 3]);
  });

  it.each([
    { brokers: 1, expected: [1, 2, 3, 3, 3] },
    { brokers: 2, expected: [0, 1, 0, 2, 0, 3] },
  ])(
    'that was accepted and dropped is no hot loop: waits $expected with $brokers broker(s)',
    ({ brokers, expected }) => {
      expect(waits(play(repeat(loss(brokers, false), expected.length)))).toEqual(expected);
    },
  );

  it('that did not live counts exactly as a failed attempt', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.boolean()), (n, dropped) => {
        const mixed = play(dropped.map((drop) => (drop ? loss(n, false) : dialFails(n))));
        expect(mixed).toEqual(play(repeat(dialFails(n), dropped.length)));
      }),
    );
  });

  it('cannot make more than n attempts without a wait, unless one of them lived', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.boolean()), (n, lives) => {
        let unbroken = 0;
        play(lives.map((lived) => loss(n, lived))).forEach(({ wait }, index) => {
          unbroken = wait > 0 || lives[index] === true ? 0 : unbroken + 1;
          expect(unbroken).toBeLessThan(n);
        });
      }),
    );
  });
});
