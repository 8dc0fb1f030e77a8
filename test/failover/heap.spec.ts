import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Heap } from '../../lib/failover/heap.js';

it('a heap gives the lowest first, whatever is taken out of its middle', () => {
  const steps = fc.array(fc.tuple(fc.nat(20), fc.nat(30), fc.boolean()));
  fc.assert(
    fc.property(steps, (program) => {
      const heap = new Heap<{ rank: number; index: number }>();
      const held: { rank: number; index: number }[] = [];
      for (const [rank, pick, takes] of program) {
        if (takes && held.length > 0) {
          const [item] = held.splice(pick % held.length, 1);
          if (item !== undefined) heap.remove(item);
        } else {
          const item = { rank, index: 0 };
          held.push(item);
          heap.add(item);
        }
        expect(heap.first?.rank).toBe(
          held.length === 0 ? undefined : Math.min(...held.map((one) => one.rank)),
        );
      }
    }),
    { numRuns: 500 },
  );
});
