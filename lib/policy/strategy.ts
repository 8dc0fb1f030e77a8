import type { Random } from './clock.js';

/**
 * Which broker to try next.
 *
 * - `round-robin`: the one after the last, in the order of the list
 * - `shuffle`: in a random order, drawn anew for each round; without replacement
 * - `priority`: the first of the list that has not failed in this round and is not the one we come from
 * - a function: called once with the list; it returns an endless iterator of its members
 */
export type FailoverStrategy<T> =
  'round-robin' | 'shuffle' | 'priority' | ((brokers: readonly T[]) => Iterator<T>);

export const failoverStrategies = ['round-robin', 'shuffle', 'priority'] as const;

/**
 * Answers with the broker that follows. `failed` holds those that failed in the round so far, the latest last, and is empty
 * at the begin of each round; `last` is the broker we come from, undefined at the very start.
 */
export type NextBroker<T> = (failed: readonly T[], last: T | undefined) => T;

const roundRobin =
  <T>(brokers: readonly T[]): NextBroker<T> =>
  (_failed, last) => {
    const index = last === undefined ? -1 : brokers.indexOf(last);
    return brokers[(index + 1) % brokers.length] as T;
  };

const priority =
  <T>(brokers: readonly T[]): NextBroker<T> =>
  (failed, last) =>
    brokers.find((broker) => broker !== last && !failed.includes(broker)) ??
    failed.find((broker) => broker !== last) ??
    (last as T);

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
  const draw = (last: T | undefined): T[] => {
    const drawn = shuffled(brokers, random);
    const index = drawn.indexOf(last as T);
    // A round that begins with the broker we come from would try a dead one twice in a row.
    return index === -1 ? drawn : [...drawn.toSpliced(index, 1), last as T];
  };
  let left: readonly T[] = [];
  return (failed, last) => {
    const untried = (of: readonly T[]) => of.filter((broker) => !failed.includes(broker));
    left = failed.length === 0 ? [] : untried(left);
    // Within a round a draw runs out early when one of it was handed out but, by a switch, not tried.
    if (left.length === 0) left = untried(draw(last));
    if (left.length === 0) left = draw(last);
    const [broker, ...rest] = left;
    left = rest;
    return broker as T;
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
