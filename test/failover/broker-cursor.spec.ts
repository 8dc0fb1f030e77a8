import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBrokers } from '../../lib/amqp/broker-address.js';
import type { Broker } from '../../lib/amqp/broker.js';
import { BrokerCursor } from '../../lib/failover/broker-cursor.js';
import type { FailoverStrategy } from '../../lib/policy/strategy.js';
import { failoverStrategies } from '../../lib/policy/strategy.js';

type Step = 'dial failed' | 'lost lived' | 'lost short' | 'connected';

const brokersOf = (names: string) =>
  parseBrokers(Array.from(names, (name) => `amqp://u:p@${name}`));
const broker = (name: string) => brokersOf(name)[0] as Broker;

// Chance just below 1 leaves a draw in the order of the list.
const inOrder = () => 0.99;

function cursorOf(
  strategy: FailoverStrategy<Broker>,
  names = 'abc',
  random: () => number = inOrder,
  warnings: Error[] = [],
): BrokerCursor {
  const cursor = new BrokerCursor(strategy, random, (warning) => warnings.push(warning));
  cursor.renew(brokersOf(names));
  return cursor;
}

const at = (cursor: BrokerCursor) => cursor.current?.hostname;

function report(cursor: BrokerCursor, step: Step, of = cursor.current as Broker): void {
  if (step === 'dial failed') return cursor.failed(of);
  cursor.connected(of);
  if (step !== 'connected') cursor.lost(of, step === 'lost lived');
}

/** The brokers it points to, before and after each step. */
function walk(cursor: BrokerCursor, steps: readonly Step[]): string {
  const visited = [at(cursor)];
  for (const step of steps) {
    report(cursor, step);
    visited.push(at(cursor));
  }
  return visited.join('');
}

const failed = 'dial failed';
const lived = 'lost lived';
const short = 'lost short';
const connected = 'connected';

const repeatC = function* (brokers: readonly Broker[]) {
  for (;;) yield* [brokers[2], brokers[2], brokers[0]] as Broker[];
};

describe('a cursor over a, b and c', () => {
  it.each<{ strategy: FailoverStrategy<Broker>; steps: Step[]; visits: string }>([
    { strategy: 'round-robin', steps: [failed, failed, failed, failed], visits: 'abcab' },
    { strategy: 'round-robin', steps: [short, short, short, short], visits: 'abcab' },
    { strategy: 'round-robin', steps: [lived, lived, failed, lived], visits: 'abcab' },
    { strategy: 'round-robin', steps: [connected, connected, failed], visits: 'aaab' },
    { strategy: 'priority', steps: [failed, failed, failed, failed], visits: 'abcab' },
    { strategy: 'priority', steps: [short, short, short, short], visits: 'abcab' },
    { strategy: 'priority', steps: [lived, lived, lived], visits: 'abab' },
    { strategy: 'priority', steps: [failed, lived, failed], visits: 'abab' },
    { strategy: 'priority', steps: [failed, failed, lived, failed, short], visits: 'abcabc' },
    { strategy: 'shuffle', steps: [failed, failed, failed, failed, failed], visits: 'abcabc' },
    { strategy: 'shuffle', steps: [lived, failed, failed, failed], visits: 'abcab' },
    { strategy: 'shuffle', steps: [failed, lived, short, failed], visits: 'abacb' },
    { strategy: repeatC, steps: [failed, short, lived, connected, failed], visits: 'ccaccc' },
  ])('by $strategy goes $visits on $steps', ({ strategy, steps, visits }) => {
    expect(walk(cursorOf(strategy), steps)).toBe(visits);
  });

  it.each(failoverStrategies)('by %s stays on the only broker, whatever happens', (strategy) => {
    expect(walk(cursorOf(strategy, 'a'), [failed, short, lived, connected, failed])).toBe('aaaaaa');
  });

  it('goes on in the order of the list, with a warning, when a custom iterator ends', () => {
    const warnings: Error[] = [];
    const cursor = cursorOf((brokers) => [brokers[1] as Broker].values(), 'abc', inOrder, warnings);
    expect(walk(cursor, [failed, failed, failed])).toBe('bcab');
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining('endless')]);
  });
});

describe('brokers that accept and drop us for ever', () => {
  const unlucky = fc.constantFrom<Step>(failed, short);
  const places = fc
    .integer({ min: 1, max: 7 })
    .chain((size) => fc.record({ size: fc.constant(size), healthy: fc.nat(size - 1) }));
  const chances = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));
  const fates = fc.infiniteStream(unlucky);

  it.each(failoverStrategies)(
    'do not keep %s from a healthy one for longer than each is tried once',
    (strategy) => {
      fc.assert(
        fc.property(
          places,
          fates,
          chances,
          fc.boolean(),
          ({ size, healthy }, fate, chance, was) => {
            const names = 'abcdefg'.slice(0, size);
            const random = () => chance.next().value as number;
            const cursor = cursorOf(strategy, names, random);
            // Either from the start, or after a connection that had lived.
            if (was) report(cursor, lived);
            const dialled: (string | undefined)[] = [];
            while (at(cursor) !== names[healthy] && dialled.length < size) {
              dialled.push(at(cursor));
              report(cursor, fate.next().value as Step);
            }
            expect(at(cursor)).toBe(names[healthy]);
            expect(dialled.length).toBeLessThan(size);
          },
        ),
      );
    },
  );

  it.each(failoverStrategies)('are each tried once a round by %s', (strategy) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fates, chances, (size, fate, chance) => {
        const names = 'abcdefg'.slice(0, size);
        const cursor = cursorOf(strategy, names, () => chance.next().value as number);
        for (let round = 0; round < 4; round += 1) {
          const dialled = Array.from(names, () => {
            const name = at(cursor) ?? '';
            report(cursor, fate.next().value as Step);
            return name;
          });
          expect(dialled.toSorted().join('')).toBe(names);
        }
      }),
    );
  });
});

describe.each(failoverStrategies)('a report that comes late to a cursor by %s', (strategy) => {
  it.each<Step>([failed, short, lived])('changes nothing when it is "%s"', (late) => {
    const cursor = cursorOf(strategy);
    const expected = walk(cursorOf(strategy), [lived, failed, failed, failed]);
    const before = at(cursor);
    report(cursor, lived);
    if (late === failed) cursor.failed(broker('a'));
    else cursor.lost(broker('a'), late === lived);
    expect(`${before}${walk(cursor, [failed, failed, failed])}`).toBe(expected);
  });

  it('of a broker with another login counts as one of the same broker', () => {
    const cursor = cursorOf(strategy);
    cursor.failed(parseBrokers('amqp://u:rotated@a')[0] as Broker);
    expect(at(cursor)).toBe('b');
  });
});

describe('a connection of a clone', () => {
  it('to another broker than the current one makes that one current', () => {
    const cursor = cursorOf('round-robin');
    cursor.failed(broker('a'));
    cursor.connected(broker('a'));
    expect(at(cursor)).toBe('a');
  });

  it('does not make the round forget who failed', () => {
    const cursor = cursorOf('priority');
    report(cursor, failed);
    report(cursor, connected);
    report(cursor, short);
    expect(at(cursor)).toBe('c');
  });
});

describe('switchTo', () => {
  it.each(failoverStrategies)('to one of the list begins a new round there, by %s', (strategy) => {
    const cursor = cursorOf(strategy);
    report(cursor, failed);
    cursor.pointTo(broker('b'));
    const visited = walk(cursor, [failed, failed]);
    expect(visited[0]).toBe('b');
    expect(Array.from(visited).toSorted().join('')).toBe('abc');
  });

  it.each(failoverStrategies)('to a stranger is followed by the whole list, by %s', (strategy) => {
    for (const step of [failed, short, lived] as const) {
      const cursor = cursorOf(strategy);
      report(cursor, failed);
      cursor.pointTo(broker('x'));
      expect([at(cursor), cursor.lists(broker('x'))]).toEqual(['x', false]);
      expect(walk(cursor, [step, failed, failed, failed])).toMatch(/^x(abc|bca|cab)[abc]$/);
    }
  });

  it('before there is a list is tried first, also when the list does not have it', () => {
    const cursor = new BrokerCursor('priority', inOrder, () => undefined);
    cursor.pointTo(broker('x'));
    cursor.renew(brokersOf('abc'));
    expect(walk(cursor, [failed, failed])).toBe('xab');
  });

  it('that fails while there is no list leaves none to dial', () => {
    for (const strategy of failoverStrategies) {
      const cursor = new BrokerCursor(strategy, inOrder, () => undefined);
      cursor.pointTo(broker('x'));
      cursor.failed(broker('x'));
      expect(cursor.current).toBeUndefined();
    }
  });
});

describe('a renewed list', () => {
  it('keeps the current broker and the round when it names the same brokers', () => {
    const cursor = cursorOf('priority');
    report(cursor, failed);
    cursor.renew(brokersOf('abc'));
    expect(walk(cursor, [failed])).toBe('bc');
  });

  it('gives the current broker its new login', () => {
    const cursor = cursorOf('priority');
    const rotated = parseBrokers('amqp://u:rotated@a;amqp://u:p@b;amqp://u:p@c');
    cursor.renew(rotated);
    expect(cursor.current).toBe(rotated[0]);
  });

  it('keeps the current broker, if it has it, and begins a new round', () => {
    const cursor = cursorOf('priority');
    report(cursor, failed);
    cursor.renew(brokersOf('dab'));
    expect(walk(cursor, [failed, failed, failed])).toBe('bdad');
  });

  it('begins anew when it does not have the current broker', () => {
    const cursor = cursorOf('round-robin');
    cursor.renew(brokersOf('de'));
    expect(walk(cursor, [failed, failed])).toBe('ded');
  });
});
