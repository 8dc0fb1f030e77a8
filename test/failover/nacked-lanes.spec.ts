import { beforeEach, describe, expect, it } from 'vitest';
import { NackedLanes } from '../../lib/failover/nacked-lanes.js';
import { entry, numbers } from './fakes/outbox-entries.js';

describe('nacked entries', () => {
  let lanes: NackedLanes;
  beforeEach(() => {
    lanes = new NackedLanes({ start: 100, max: 400 });
  });

  it('hold back those of their own exchange and routing key, and no others', () => {
    lanes.nacked(entry(1, { key: 'full' }), 0, false);
    expect(lanes.hold(entry(2, { key: 'full' }))).toBe(true);
    expect(lanes.hold(entry(3, { key: 'other' }))).toBe(false);
    expect(numbers(lanes.entries())).toEqual([1, 2]);
  });

  it('are due after the backoff, which grows with each try in vain', () => {
    const one = entry(1);
    const dues: (number | undefined)[] = [];
    lanes.nacked(one, 0, false);
    for (let tries = 0; tries < 4; tries += 1) {
      const now = lanes.nextDue ?? 0;
      dues.push(now);
      expect(numbers(lanes.take(now, 10))).toEqual([1]);
      lanes.nacked(one, now, true);
      expect(lanes.tried(now)).toEqual({ free: [], healed: false });
    }
    expect([...dues, lanes.nextDue]).toEqual([100, 300, 700, 1_100, 1_500]);
  });

  it('are not taken before they are due, nor twice', () => {
    lanes.nacked(entry(1), 0, false);
    expect(lanes.take(99, 10)).toEqual([]);
    expect(lanes.take(100, 10)).toHaveLength(1);
    expect(lanes.take(1_000, 10)).toEqual([]);
    expect(lanes.nextDue).toBeUndefined();
  });

  it('free what they held back once nothing of their lane is nacked any more', () => {
    lanes.nacked(entry(1), 0, false);
    const held = entry(2);
    lanes.hold(held);
    lanes.take(100, 10);
    const { free, healed } = lanes.tried(150);
    expect([numbers(free), healed, held.place.list]).toEqual([[2], true, undefined]);
    expect(lanes.hold(entry(3))).toBe(false);
  });

  it('are tried again at once where others of their lane went through, and not yet free the rest', () => {
    for (const number of [1, 2, 3]) lanes.nacked(entry(number), 0, false);
    lanes.hold(entry(4));
    expect(numbers(lanes.take(100, 2))).toEqual([1, 2]);
    expect(lanes.tried(150)).toEqual({ free: [], healed: false });
    expect(numbers(lanes.take(150, 2))).toEqual([3]);
    expect(numbers(lanes.tried(150).free)).toEqual([4]);
  });

  it('take equal shares of a try, and turns where there are more lanes than room', () => {
    const keys = ['a', 'b', 'c'];
    for (const [index, key] of keys.entries()) {
      for (let n = 0; n < 4; n += 1) lanes.nacked(entry(index * 10 + n, { key }), 0, false);
    }
    expect(numbers(lanes.take(100, 6))).toEqual([0, 1, 10, 11, 20, 21]);
    lanes.tried(100);
    const [first] = lanes.take(100, 1);
    lanes.tried(100);
    const [second] = lanes.take(100, 1);
    expect([first?.number, second?.number]).toEqual([2, 12]);
  });

  it('of an old channel do not count as a failed try of the new one', () => {
    lanes.nacked(entry(1), 0, false);
    lanes.take(100, 10);
    lanes.nacked(entry(2), 120, false);
    lanes.tried(150);
    expect(lanes.nextDue).toBe(150);
  });

  it('that have all settled free their lane at the next try', () => {
    const one = entry(1);
    lanes.nacked(one, 0, false);
    lanes.hold(entry(2));
    one.place.leave();
    expect(lanes.take(100, 10)).toEqual([]);
    expect(numbers(lanes.tried(100).free)).toEqual([2]);
  });

  it('are given back with all they held on a new connection, and a try under way ends in nothing', () => {
    lanes.nacked(entry(1, { key: 'a' }), 0, false);
    lanes.take(100, 10);
    lanes.hold(entry(2, { key: 'a' }));
    lanes.nacked(entry(3, { key: 'b' }), 100, false);
    expect(numbers(lanes.releaseAll())).toEqual([2, 3]);
    expect(lanes.tried(200)).toEqual({ free: [], healed: false });
    expect(lanes.nextDue).toBeUndefined();
  });
});
