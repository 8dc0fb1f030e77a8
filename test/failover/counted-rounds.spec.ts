import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBrokers } from '../../lib/amqp/broker-address.js';
import type { Broker } from '../../lib/amqp/broker.js';
import { ConnectError } from '../../lib/errors.js';
import { Attempts } from '../../lib/failover/attempts.js';
import { BrokerCursor } from '../../lib/failover/broker-cursor.js';
import type { NextAttempt } from '../../lib/policy/round.js';
import { failoverStrategies } from '../../lib/policy/strategy.js';

const policy = {
  intervalStart: 500,
  intervalStep: 500,
  intervalMax: 10_000,
  refusedInterval: 10_000,
  jitter: 0,
};
const stranger = parseBrokers('amqp://u:p@stranger')[0] as Broker;
const fault = new Error('out of order');

type Fate = 'dial failed' | 'lost short' | 'lost lived' | 'given up' | 'switched to a stranger';

const fates = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Fate>('dial failed', 'lost short') },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Fate>('lost lived', 'given up', 'switched to a stranger'),
    },
  ),
  { minLength: 20, maxLength: 60 },
);
const chances = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));

const nothing = { completesRound: false, wait: 0 };

/** One connection, alone on its cursor; it remembers whom it has tried since the round began. */
class Tries {
  tried: Broker[] = [];

  constructor(
    private readonly cursor: BrokerCursor,
    private readonly attempts: Attempts,
  ) {}

  meet(fate: Fate): Pick<NextAttempt, 'completesRound' | 'wait'> {
    if (fate === 'given up') {
      this.tried = [];
      this.attempts.startAfresh();
      return nothing;
    }
    if (fate === 'switched to a stranger') {
      this.tried = [];
      this.cursor.pointTo(stranger);
      return this.attempts.failed(stranger, fault);
    }
    const dialled = this.cursor.current as Broker;
    this.tried = fate === 'lost lived' ? [] : [...this.tried, dialled];
    if (fate === 'dial failed') return this.attempts.failed(dialled, fault);
    this.attempts.connected(dialled);
    return this.attempts.lost(dialled, fault, fate === 'lost lived');
  }
}

describe('a counted round', () => {
  it.each(failoverStrategies)(
    'has tried each broker once when it is complete, by %s',
    (strategy) => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 5 }), fates, chances, (size, history, chance) => {
          const random = () => chance.next().value as number;
          const cursor = new BrokerCursor(strategy, random, () => undefined);
          cursor.renew(
            parseBrokers(Array.from({ length: size }, (_, index) => `amqp://u:p@broker-${index}`)),
          );
          const tries = new Tries(cursor, new Attempts(policy, random, cursor));
          for (const fate of history) {
            const { completesRound, wait } = tries.meet(fate);
            const { tried } = tries;
            expect(new Set(tried).size).toBe(tried.length);
            expect(completesRound).toBe(tried.length === size);
            expect(wait > 0).toBe(completesRound);
            if (completesRound) tries.tried = [];
          }
        }),
      );
    },
  );

  it('is not refused by what a broker said before a switch', () => {
    const cursor = new BrokerCursor(
      'round-robin',
      () => 0,
      () => undefined,
    );
    cursor.renew(parseBrokers('amqp://a;amqp://b'));
    const attempts = new Attempts(policy, () => 0, cursor);
    const refusal = new ConnectError('no', 'refused', 'a');
    const fail = (error: Error) => attempts.failed(cursor.current, error);
    fail(refusal);
    cursor.pointTo(stranger);
    expect([fail(fault), fail(refusal), fail(fault)].map(({ refused }) => refused)).toEqual([
      false,
      false,
      false,
    ]);
    expect([fail(refusal), fail(refusal)].map(({ refused }) => refused)).toEqual([false, true]);
  });
});
