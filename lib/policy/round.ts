import type { Random } from './clock.js';
import { interval } from './interval.js';
import type { IntervalPolicy } from './interval.js';

/** Waits between rounds. Milliseconds. */
export interface RoundPolicy extends IntervalPolicy {
  /** The least wait after a round in which every broker refused us; jitter only lengthens it. It may exceed `intervalMax`. */
  readonly refusedInterval: number;
}

/** Failures since the last connection that lived; `0` of them means a fresh start. */
export interface Round {
  /** Failed attempts, over all rounds. */
  readonly failures: number;
  /** Rounds that failed as a whole. */
  readonly rounds: number;
  /** Failed attempts of the current round. */
  readonly failedNow: number;
  /** Those of them in which the broker answered and said no (login, virtual host, limit). */
  readonly refusedNow: number;
}

export const freshRound: Round = { failures: 0, rounds: 0, failedNow: 0, refusedNow: 0 };

/** What follows a failed attempt: the counters, and how long to wait before the next one. */
export interface NextAttempt {
  readonly round: Round;
  readonly completesRound: boolean;
  /** The round is complete, and each of its attempts was refused: trying at the usual pace will not help. */
  readonly refused: boolean;
  /** Milliseconds; 0 within a round. */
  readonly wait: number;
}

/**
 * The round rule: the brokers of a round are tried without delay, and a wait comes only after all of them failed. With
 * two brokers and waits of 1, 2, 3 that gives 0, 1, 0, 2, 0, 3 (as kombu's `completes_cycle` does). A round in which all were
 * refused is followed by `refusedInterval` at least, also where that exceeds `intervalMax`: hammering at a closed door locks
 * accounts. Chance adds to that wait up to its share of `jitter`, so that clients whose login was rotated spread out.
 */
export function afterAttempt(
  round: Round,
  brokers: number,
  policy: RoundPolicy,
  random: Random,
  refused = false,
): NextAttempt {
  const failures = round.failures + 1;
  const failedNow = round.failedNow + 1;
  const refusedNow = round.refusedNow + (refused ? 1 : 0);
  if (failedNow < brokers) {
    return {
      round: { ...round, failures, failedNow, refusedNow },
      completesRound: false,
      refused: false,
      wait: 0,
    };
  }
  const allRefused = refusedNow === failedNow;
  const usual = interval(policy, round.rounds, random);
  return {
    round: { failures, rounds: round.rounds + 1, failedNow: 0, refusedNow: 0 },
    completesRound: true,
    refused: allRefused,
    wait: allRefused
      ? Math.max(usual, policy.refusedInterval * (1 + policy.jitter * random()))
      : usual,
  };
}

/**
 * What a loss means for the round. A connection that lived starts afresh; one that the broker accepted and then dropped
 * counts as a failed attempt, so that such a broker cannot make a hot loop.
 */
export function afterLoss(
  round: Round,
  lived: boolean,
  brokers: number,
  policy: RoundPolicy,
  random: Random,
): NextAttempt {
  return lived
    ? { round: freshRound, completesRound: false, refused: false, wait: 0 }
    : afterAttempt(round, brokers, policy, random);
}
