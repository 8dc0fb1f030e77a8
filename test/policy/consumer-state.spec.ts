import { describe, expect, it } from 'vitest';
import type { ConsumerState } from '../../lib/policy/consumer-state.js';
import { consumerTransition } from '../../lib/policy/consumer-state.js';

type Status = ConsumerState['status'];

const error = new Error('queue not found');
const example: { readonly [S in Status]: ConsumerState & { readonly status: S } } = {
  idle: { status: 'idle' },
  starting: { status: 'starting', since: 1 },
  consuming: { status: 'consuming', since: 2, broker: 'amqp://a', stalled: false },
  waiting: { status: 'waiting', since: 3, until: 4, error },
  paused: { status: 'paused', since: 5 },
  failed: { status: 'failed', since: 6, error },
  stopping: { status: 'stopping', since: 7 },
  stopped: { status: 'stopped', since: 8 },
};
const statuses = Object.keys(example) as Status[];

// A row for each status, a column for each that may follow: x is legal, . is not.
const table: Readonly<Record<Status, string>> = {
  //         idle starting consuming waiting paused failed stopping stopped
  idle: '      .      x        .        .       x      .       x       .   ',
  starting: '  .      x        x        x       x      x       x       .   ',
  consuming: ' .      x        .        x       x      .       x       .   ',
  waiting: '   .      x        .        .       x      .       x       .   ',
  paused: '    .      x        .        .       .      .       x       .   ',
  failed: '    .      x        .        .       .      .       x       .   ',
  stopping: '  .      .        .        .       .      .       .       x   ',
  stopped: '   .      .        .        .       .      .       .       .   ',
};

const cases = statuses.flatMap((from) => {
  const marks = table[from].trim().split(/\s+/);
  return statuses.map((to, column) => ({ from, to, legal: marks[column] === 'x' }));
});

describe('consumerTransition', () => {
  it('is told every pair of statuses by the table', () => {
    expect(statuses.map((status) => table[status].trim().split(/\s+/).length)).toEqual(
      statuses.map(() => statuses.length),
    );
  });

  it.each(cases.filter(({ legal }) => legal))('moves from $from to $to', ({ from, to }) => {
    expect(consumerTransition(example[from], example[to])).toBe(example[to]);
  });

  it.each(cases.filter(({ legal }) => !legal))('refuses $from to $to', ({ from, to }) => {
    expect(() => consumerTransition(example[from], example[to])).toThrow(
      `Illegal move from "${from}" to "${to}"`,
    );
  });

  it('comes to consume only from starting', () => {
    const before = cases.filter(({ to, legal }) => legal && to === 'consuming');
    expect(before.map(({ from }) => from)).toEqual(['starting']);
  });

  it('can be stopped from every status that is not yet stopping', () => {
    const live = statuses.filter((status) => status !== 'stopping' && status !== 'stopped');
    for (const status of live) {
      const stopping = consumerTransition(example[status], example.stopping);
      expect(consumerTransition(stopping, example.stopped)).toBe(example.stopped);
    }
  });
});
