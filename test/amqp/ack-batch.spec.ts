import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AckBatch } from '../../lib/amqp/ack-batch.js';

const numbered = (deliveryTag: number) => ({ fields: { deliveryTag } });
type Numbered = ReturnType<typeof numbered>;

const frames = (batch: AckBatch<Numbered>): string[] =>
  batch
    .take()
    .map(({ message, allUpTo }) => `${message.fields.deliveryTag}${allUpTo ? ' and below' : ''}`);

function batchOf(delivered: number, ...acked: number[]): AckBatch<Numbered> {
  const batch = new AckBatch<Numbered>();
  for (let tag = 1; tag <= delivered; tag += 1) batch.delivered(numbered(tag));
  for (const tag of acked) batch.add(numbered(tag));
  return batch;
}

describe('the acks of a turn', () => {
  it.each<[number, number[], string[]]>([
    [3, [], []],
    [3, [1], ['1']],
    [3, [2], ['2']],
    [3, [1, 2], ['2 and below']],
    [3, [3, 1, 2], ['3 and below']],
    [4, [1, 2, 4], ['4', '2 and below']],
    [4, [2, 3, 4], ['2', '3', '4']],
  ])('of %i delivered, %j acked, are sent as %j', (delivered, acked, sent) => {
    expect(frames(batchOf(delivered, ...acked))).toEqual(sent);
  });

  it('reach over what was settled otherwise', () => {
    const batch = batchOf(4, 1, 4);
    batch.settled(numbered(2));
    batch.settled(numbered(3));
    expect(frames(batch)).toEqual(['4 and below']);
  });

  it('are not taken of what is not outstanding', () => {
    const batch = batchOf(2, 1);
    expect([1, 2, 3].map((tag) => batch.add(numbered(tag)))).toEqual([false, true, false]);
    batch.delivered(numbered(3));
    batch.allSettled();
    expect(batch.add(numbered(3))).toBe(false);
  });

  it('acknowledge what was acked and nothing else, whatever comes in between', () => {
    const step = fc.record({
      what: fc.constantFrom(
        'deliver',
        'deliver',
        'deliver',
        'ack',
        'ack',
        'ack',
        'reject',
        'all up to',
        'send',
      ),
      nth: fc.nat(12),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const batch = new AckBatch<Numbered>();
        // As the broker and as the caller have them.
        const outstanding = new Set<number>();
        const received = new Set<number>();
        const acked = new Set<number>();
        const acknowledged: number[] = [];
        let tag = 0;
        const send = (): void => {
          for (const { message, allUpTo } of batch.take()) {
            const top = message.fields.deliveryTag;
            expect(outstanding.has(top), `ack of ${top}`).toBe(true);
            for (const one of outstanding) {
              if (one !== top && !(allUpTo && one < top)) continue;
              outstanding.delete(one);
              acknowledged.push(one);
            }
          }
        };
        for (const { what, nth } of steps) {
          const one = [...received][nth % Math.max(1, received.size)];
          if (what === 'deliver') {
            tag += 1;
            outstanding.add(tag);
            received.add(tag);
            batch.delivered(numbered(tag));
          } else if (what === 'send') send();
          else if (one !== undefined && what === 'ack') {
            received.delete(one);
            if (batch.add(numbered(one))) acked.add(one);
          } else if (one !== undefined) {
            send();
            const allUpTo = what === 'all up to';
            for (const other of received) {
              if (other !== one && !(allUpTo && other < one)) continue;
              received.delete(other);
              outstanding.delete(other);
            }
            batch.settled(numbered(one), allUpTo);
          }
        }
        send();
        expect(acknowledged.toSorted((a, b) => a - b)).toEqual(
          [...acked].toSorted((a, b) => a - b),
        );
        expect([...outstanding]).toEqual([...received]);
      }),
      { numRuns: 500 },
    );
  });
});
