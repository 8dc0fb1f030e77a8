import { describe, expect, it } from 'vitest';
import type { OutboxEntry } from '../../lib/failover/outbox-entry.js';
import { Outbox } from '../../lib/failover/outbox.js';
import type { EntryOptions } from './fakes/outbox-entries.js';
import {
  entries,
  entry,
  missing,
  numbers,
  outboxLimits,
  unreadable,
} from './fakes/outbox-entries.js';

/** Takes all that may be sent, as a channel with nothing unconfirmed would. */
const takeAll = (outbox: Outbox): OutboxEntry[] => {
  const taken: OutboxEntry[] = [];
  for (let next = outbox.take(0); next !== undefined; next = outbox.take(taken.length)) {
    taken.push(next);
  }
  return taken;
};

const filled = (count: number, options?: EntryOptions, limits = outboxLimits) => {
  const outbox = new Outbox(limits);
  const added = entries(count, options);
  for (const one of added) outbox.add(one);
  return { outbox, added };
};

const settle = (outbox: Outbox, one: OutboxEntry | undefined): void => {
  one?.settle();
  if (one !== undefined) outbox.settled(one);
};

describe('an outbox', () => {
  it('gives entries in order, as many as the window has room for', () => {
    const { outbox } = filled(20);
    expect(numbers(takeAll(outbox))).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
    expect(outbox.take(16)).toBeUndefined();
    expect(outbox.take(15)?.number).toBe(17);
  });

  it('counts what has not settled, wherever it is', () => {
    const { outbox, added } = filled(3, { body: 'x'.repeat(10) });
    const size = added[0]?.size ?? 0;
    takeAll(outbox);
    outbox.nacked(added[0] as OutboxEntry, 0, false);
    expect([outbox.messages, outbox.bytes]).toEqual([3, 3 * size]);
    for (const one of added) settle(outbox, one);
    expect([outbox.messages, outbox.bytes]).toEqual([0, 0]);
  });

  it.each([
    ['reject', 3],
    ['wait', 6],
  ] as const)('when full: %s, has room for %i where 3 are allowed', (whenFull, most) => {
    const { outbox } = filled(most - 1, {}, { ...outboxLimits, maxMessages: 3, whenFull });
    expect(outbox.hasRoom(600)).toBe(true);
    outbox.add(entry(99));
    expect(outbox.hasRoom(600)).toBe(false);
  });

  it.each([
    ['reject', 1_000],
    ['wait', 2_000],
  ] as const)('when full: %s, has room for %i bytes where 1,000 are allowed', (whenFull, most) => {
    const { outbox, added } = filled(1, {}, { ...outboxLimits, maxBytes: 1_000, whenFull });
    const size = added[0]?.size ?? 0;
    expect([outbox.hasRoom(most - size), outbox.hasRoom(most - size + 1)]).toEqual([true, false]);
  });

  it('that is empty takes an entry of any size', () => {
    expect(new Outbox({ ...outboxLimits, maxBytes: 1 }).hasRoom(5_000)).toBe(true);
  });

  it('sends what was lost before anything newer, in order and marked', () => {
    const { outbox } = filled(4);
    const lost = [outbox.take(0), outbox.take(1), outbox.take(2)] as OutboxEntry[];
    settle(outbox, lost[1]);
    expect(outbox.lost(lost, 'lost', unreadable)).toEqual(new Map());
    expect(numbers(takeAll(outbox))).toEqual([1, 3, 4]);
    expect(lost.map(({ suspect }) => suspect)).toEqual([true, false, true]);
    expect(lost[0]?.message.properties.headers).toEqual({ 'x-republished': true });
  });

  it('puts back by age what two channels give back', () => {
    const { outbox } = filled(6);
    const [one, two, three, four, five] = takeAll(outbox) as [
      OutboxEntry,
      OutboxEntry,
      OutboxEntry,
      OutboxEntry,
      OutboxEntry,
    ];
    outbox.putBack([three, five]);
    outbox.putBack([four, one, two]);
    expect(numbers(takeAll(outbox))).toEqual([1, 2, 3, 4, 5]);
  });

  it('does not send again what must not be, and says so', () => {
    const outbox = new Outbox(outboxLimits);
    const once = entry(1, { republish: false });
    const usedUp = entry(2, { maxRetries: 0 });
    for (const one of [once, usedUp]) {
      outbox.add(one);
      one.attempts = 1;
    }
    const lost = takeAll(outbox);
    expect([...outbox.lost(lost, 'lost', unreadable).values()]).toEqual(['unknown', 'unknown']);
  });

  it('finds the one that kills its channel, and takes nobody else for it', () => {
    const outbox = new Outbox(outboxLimits);
    for (let number = 1; number <= 12; number += 1) {
      outbox.add(entry(number, { exchange: number === 9 ? 'e' : '' }));
    }
    const settled: string[] = [];
    for (let channels = 0; outbox.messages > 0 && channels < 30; channels += 1) {
      const sent: OutboxEntry[] = [];
      for (let next = outbox.take(0); next !== undefined; next = outbox.take(sent.length)) {
        if (sent[0] !== undefined && sent[0].number < 9) {
          // The broker confirms the oldest while more is sent.
          settled.push(`${sent[0].number}`);
          settle(outbox, sent.shift());
        }
        sent.push(next);
      }
      const killer = sent.find(({ number }) => number === 9);
      if (killer === undefined) {
        for (const one of sent) {
          settled.push(`${one.number}`);
          settle(outbox, one);
        }
      } else {
        for (const [one, verdict] of outbox.lost(sent, 'killed', missing('e'))) {
          settled.push(`${one.number} ${verdict}`);
          settle(outbox, one);
        }
      }
    }
    const rest = [1, 2, 3, 4, 5, 6, 7, 8].map(String);
    expect(settled).toEqual([...rest, '9 refused', '10', '11', '12']);
    expect(outbox.window).toBe(16);
  });

  it('finds the one that ends its connection, of which nobody can say that it is not stored', () => {
    const { outbox } = filled(5);
    const ended: string[] = [];
    for (let connections = 0; outbox.messages > 0 && connections < 20; connections += 1) {
      const sent = takeAll(outbox);
      const killer = sent.some(({ number }) => number === 3);
      const verdicts = killer ? outbox.lost(sent, 'killed-connection', unreadable) : new Map();
      const over = killer ? [...verdicts.keys()] : sent;
      for (const one of over) {
        ended.push(`${one.number} ${verdicts.get(one) ?? 'confirmed'}`);
        settle(outbox, one);
      }
    }
    expect(ended).toEqual([
      '1 confirmed',
      '2 confirmed',
      '3 unknown',
      '4 confirmed',
      '5 confirmed',
    ]);
  });

  it('does not blame the one that is left for what one did that had been given up', () => {
    const { outbox } = filled(2);
    const sent = takeAll(outbox);
    settle(outbox, sent[0]);
    expect(outbox.lost(sent, 'killed', missing('e'))).toEqual(new Map());
    expect([outbox.window, numbers(takeAll(outbox))]).toEqual([1, [2]]);
  });

  it('does not suspect what was nacked', () => {
    const { outbox } = filled(2);
    outbox.lost(takeAll(outbox), 'killed', missing('e'));
    for (const one of [outbox.take(0), outbox.take(0)]) outbox.nacked(one as OutboxEntry, 0, false);
    expect(outbox.window).toBe(16);
  });

  it('holds back those behind a nacked one of their key, and lets all others pass', () => {
    const outbox = new Outbox(outboxLimits);
    for (const [number, key] of ['full', 'free', 'full', 'free'].entries()) {
      outbox.add(entry(number, { key }));
    }
    const first = outbox.take(0) as OutboxEntry;
    expect(outbox.nacked(first, 0, false)).toBe(true);
    expect(numbers(takeAll(outbox))).toEqual([1, 3]);
    expect(numbers(outbox.takeNacked(100))).toEqual([0]);
    settle(outbox, first);
    expect(outbox.triedNacked(100)).toBe(true);
    expect(numbers(takeAll(outbox))).toEqual([2]);
  });

  it('gives up on a nacked one after its retries, or when it may be sent only once', () => {
    const outbox = new Outbox(outboxLimits);
    const patient = entry(1);
    expect([1, 2, 3].map(() => outbox.nacked(patient, 0, true))).toEqual([true, true, false]);
    expect(outbox.nacked(entry(2, { republish: false }), 0, false)).toBe(false);
  });

  it('takes everything back in line on a new connection', () => {
    const { outbox, added } = filled(3);
    takeAll(outbox);
    outbox.nacked(added[2] as OutboxEntry, 0, false);
    outbox.nacked(added[0] as OutboxEntry, 0, false);
    outbox.lost([added[1] as OutboxEntry], 'lost', unreadable);
    expect(outbox.take(0)).toBeUndefined();
    outbox.releaseNacked();
    expect(numbers(takeAll(outbox))).toEqual([1, 2, 3]);
  });
});
