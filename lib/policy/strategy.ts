import type { Random } from './clock.js';

/**
 * Which broker to try next.
 *
 * - `round-robin`: the one after the last, in the order of the list
 * - `shuffle`: in a random order, drawn anew for each round; without replacement
 * - `priority`: the first of the list that has not failed; when all have, the one whose failure is the oldest
 * - a function: called once with the list; it returns an endless iterator of its members
 */
export type FailoverStrategy<T> =
  'round-robin' | 'shuffle' | 'priority' | ((brokers: readonly T[]) => Iterator<T>);

export const failoverStrategies = ['round-robin', 'shuffle', 'priority'] as const;

/**
 * Answers with the broker that follows. `failed` holds those that failed since one last worked, the latest last; it is
 * empty at the very start.
 */
export type NextBroker<T> = (failed: readonly T[]) => T;

const roundRobin =
  <T>(brokers: readonly T[]): NextBroker<T> =>
  (failed) => {
    const last = failed.at(-1);
    const index = last === undefined ? -1 : brokers.indexOf(last);
    return brokers[(index + 1) % brokers.length] as T;
  };

function priority<T>(brokers: readonly T[]): NextBroker<T> {
  return (failed) => {
    const untried = brokers.find((broker) => !failed.includes(broker));
    if (untried !== undefined) return untried;
    // All have failed: a fixed choice would never come to the others again.
    const lastFailures = brokers.map((broker) => failed.lastIndexOf(broker));
    return brokers[lastFailures.indexOf(Math.min(...lastFailures))] as T;
  };
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const pick = Math.floor(random() * (last + 1));
    const kept = result[last] as T;
    result[last] = result[pick] as T;
    result[pick] = kept;
  }
  return result;
}

function shuffle<T>(brokers: readonly T[], random: Random): NextBroker<T> {
  let left: T[] = [];
  return (failed) => {
    if (left.length === 0) {
      left = shuffled(brokers, random);
      // A round that begins with the broker the last one ended on would try a dead one twice in a row.
      if (left.length > 1 && left[0] === failed.at(-1)) left.push(left.shift() as T);
    }
    return left.shift() as T;
  };
}

function custom<T>(brokers: readonly T[], iterator: Iterator<T>): NextBroker<T> {
  return () => {
    const step = iterator.next();
    if (step.done === true || !brokers.includes(step.value)) {
      throw new TypeError(
        step.done === true
          ? 'the iterator of failoverStrategy ended; it must be endless'
          : 'the iterator of failoverStrategy yielded something that is not in the list of brokers',
      );
    }
    return step.value;
  };
}

/** Makes the function that answers with the next broker of a list of at least one. */
export function nextBroker<T>(
  strategy: FailoverStrategy<T>,
  brokers: readonly T[],
  random: Random,
): NextBroker<T> {
  switch (strategy) {
    case 'round-robin':
      return roundRobin(brokers);
    case 'shuffle':
      return shuffle(brokers, random);
    case 'priority':
      return priority(brokers);
    default:
      return custom(brokers, strategy(brokers));
  }
}
