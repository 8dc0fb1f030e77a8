import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinkedList, ListNode } from '../../lib/failover/linked-list.js';

const ascending = (one: number, other: number): number => one - other;

const before = (one: number, other: number): boolean => one < other;

const listOf = (values: readonly number[]): LinkedList<number> => {
  const list = new LinkedList<number>();
  for (const value of values) list.append(new ListNode(value));
  return list;
};

describe('a linked list', () => {
  it('is what an array would be, whatever is put in and taken out', () => {
    const command = fc.record({
      act: fc.constantFrom('append', 'prepend', 'leave', 'move'),
      which: fc.nat(9),
    });
    fc.assert(
      fc.property(fc.array(command, { size: 'max', maxLength: 40 }), (commands) => {
        const lists = [new LinkedList<number>(), new LinkedList<number>()] as const;
        const [list, other] = lists;
        const nodes = Array.from({ length: 10 }, (_, value) => new ListNode(value));
        let model: number[] = [];
        for (const { act, which } of commands) {
          const node = nodes[which];
          if (node === undefined) continue;
          model = model.filter((value) => value !== which);
          if (act === 'append') {
            list.append(node);
            model.push(which);
          } else if (act === 'prepend') {
            list.prepend(node);
            model.unshift(which);
          } else if (act === 'leave') node.leave();
          else other.append(node);
          const all = nodes.filter((one) => one.list).length;
          expect([[...list], list.size, list.first, list.size + other.size]).toEqual([
            model,
            model.length,
            model[0],
            all,
          ]);
        }
      }),
    );
  });

  it('merges what is in order into what is in order', () => {
    const numbers = fc.uniqueArray(fc.nat(99), { size: 'max', maxLength: 40 });
    fc.assert(
      fc.property(numbers, fc.nat(40), (all, cut) => {
        const list = listOf(all.slice(0, cut).toSorted(ascending));
        const merged = all.slice(cut).toSorted(ascending);
        list.merge(
          merged.map((value) => new ListNode(value)),
          before,
        );
        expect([...list]).toEqual(all.toSorted(ascending));
        expect(list.size).toBe(all.length);
      }),
    );
  });

  it('lets the value that is looked at be taken out', () => {
    const list = listOf([1, 2, 3]);
    const nodes = [4, 5].map((value) => new ListNode(value));
    for (const node of nodes) list.append(node);
    const seen: number[] = [];
    for (const value of list) {
      seen.push(value);
      nodes.find((node) => node.value === value)?.leave();
    }
    expect([seen, [...list]]).toEqual([
      [1, 2, 3, 4, 5],
      [1, 2, 3],
    ]);
  });

  it('takes nothing out that is in another list', () => {
    const [one, other] = [listOf([]), listOf([])];
    const node = new ListNode(1);
    one.append(node);
    other.remove(node);
    expect([one.size, other.size]).toEqual([1, 0]);
  });
});
