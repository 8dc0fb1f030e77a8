import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConnectionState } from '../../lib/policy/connection-state.js';
import { connectionTransition } from '../../lib/policy/connection-state.js';

type Status = ConnectionState['status'];

const example: { readonly [S in Status]: ConnectionState<string> & { readonly status: S } } = {
  idle: { status: 'idle', failures: [] },
  connecting: { status: 'connecting', since: 1, broker: 'amqp://a' },
  waiting: { status: 'waiting', since: 2, until: 3, failures: [] },
  refused: { status: 'refused', since: 2, until: 3, failures: [] },
  connected: { status: 'connected', since: 4, broker: 'amqp://a', link: 'link' },
  closing: { status: 'closing', since: 5 },
  closed: { status: 'closed', since: 6 },
};
const statuses = Object.keys(example) as Status[];

// A row for each status, a column for each that may follow: x is legal, . is not.
const table: Readonly<Record<Status, string>> = {
  //          idle connecting waiting refused connected closing closed
  idle: '       .       x        .       .        .        x      . ',
  connecting: ' x       x        x       x        x        x      . ',
  waiting: '    x       x        .       .        .        x      . ',
  refused: '    x       x        .       .        .        x      . ',
  connected: '  .       x        x       .        .        x      . ',
  closing: '    .       .        .       .        .        .      x ',
  closed: '     .       .        .       .        .        .      . ',
};

const cases = statuses.flatMap((from) => {
  const marks = table[from].trim().split(/\s+/);
  return statuses.map((to, column) => ({ from, to, legal: marks[column] === 'x' }));
});
const legalMoves = cases.filter(({ legal }) => legal);

describe('connectionTransition', () => {
  it('is told every pair of statuses by the table', () => {
    expect(statuses.map((status) => table[status].trim().split(/\s+/).length)).toEqual(
      statuses.map(() => statuses.length),
    );
  });

  it.each(legalMoves)('moves from $from to $to', ({ from, to }) => {
    expect(connectionTransition(example[from], example[to])).toBe(example[to]);
  });

  it.each(cases.filter(({ legal }) => !legal))('refuses $from to $to', ({ from, to }) => {
    expect(() => connectionTransition(example[from], example[to])).toThrow(
      `Illegal move from "${from}" to "${to}"`,
    );
  });

  it('never leaves closed, and leaves closing for closed alone, on any walk', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...statuses)), (walk) => {
        let state: ConnectionState<string> = example.idle;
        const visited: Status[] = [];
        for (const status of walk) {
          try {
            state = connectionTransition(state, example[status]);
            visited.push(status);
          } catch {
            // An illegal step of the walk: the state stays.
          }
        }
        const end = visited.indexOf('closing');
        expect(end === -1 ? [] : visited.slice(end + 1)).toSatisfy(
          (rest: Status[]) => rest.length === 0 || (rest.length === 1 && rest[0] === 'closed'),
        );
      }),
    );
  });

  it('can be closed from every status that is not yet closing', () => {
    const open = statuses.filter((status) => status !== 'closing' && status !== 'closed');
    for (const status of open) {
      const closing = connectionTransition(example[status], example.closing);
      expect(connectionTransition(closing, example.closed)).toBe(example.closed);
    }
  });
});
