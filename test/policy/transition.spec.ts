import { describe, expect, it } from 'vitest';
import type { LegalMoves } from '../../lib/policy/transition.js';
import { transition } from '../../lib/policy/transition.js';

type Light = { readonly status: 'red' | 'green' | 'broken' };

const moves: LegalMoves<Light['status']> = {
  red: ['green', 'broken'],
  green: ['red', 'green'],
  broken: [],
};

describe('transition', () => {
  it('returns the very state that it was told to move to', () => {
    const to: Light = { status: 'green' };
    expect(transition(moves, { status: 'red' }, to)).toBe(to);
  });

  it.each([
    { from: 'red', to: 'red', allowed: 'green, broken' },
    { from: 'green', to: 'broken', allowed: 'red, green' },
    { from: 'broken', to: 'green', allowed: 'none' },
  ] as const)(
    'throws on $from to $to, naming both and what is allowed',
    ({ from, to, allowed }) => {
      expect(() => transition<Light>(moves, { status: from }, { status: to })).toThrow(
        `Illegal move from "${from}" to "${to}"; allowed: ${allowed}`,
      );
    },
  );
});
