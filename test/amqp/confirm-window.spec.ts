import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfirmWindow } from '../../lib/amqp/confirm-window.js';

const published = (count: number): ConfirmWindow => {
  const window = new ConfirmWindow();
  for (let n = 0; n < count; n += 1) window.published();
  return window;
};
const single = (deliveryTag: number) => ({ deliveryTag, multiple: false });
const upTo = (deliveryTag: number) => ({ deliveryTag, multiple: true });

describe('a confirm window', () => {
  it('ends where amqplib leaves a hole: 4, then up to 3, then the rest one by one', () => {
    const window = published(20_000);
    window.confirm(single(4));
    window.confirm(upTo(3));
    expect(window.outstanding).toBe(19_996);
    for (let tag = 5; tag <= 20_000; tag += 1) window.confirm(single(tag));
    expect(window.outstanding).toBe(0);
  });

  it.each([
    ['repeated', 1],
    ['never published', 11],
    ['absurd', 400_000_000],
    ['zero', 0],
  ])('is not changed by a number that is %s', (_name, tag) => {
    const window = published(10);
    window.confirm(upTo(5));
    window.confirm(single(7));
    window.confirm(single(7));
    for (const confirmation of [single(tag), upTo(tag)]) {
      window.confirm(confirmation);
      window.refuse(confirmation, () => new Error('refused'));
    }
    expect(window.outstanding).toBe(4);
  });

  it('agrees with a plain set, whatever the order of the confirmations', () => {
    const confirmation = fc.record({
      deliveryTag: fc.integer({ min: 1, max: 30 }),
      multiple: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(confirmation), (confirmations) => {
        const window = published(30);
        const open = new Set(Array.from({ length: 30 }, (_, index) => index + 1));
        for (const { deliveryTag, multiple } of confirmations) {
          window.confirm({ deliveryTag, multiple });
          for (const tag of open) {
            if (tag === deliveryTag || (multiple && tag < deliveryTag)) open.delete(tag);
          }
          expect(window.outstanding).toBe(open.size);
        }
      }),
    );
  });

  it('rejects only those who wait for a refused publish', async () => {
    const window = published(2);
    const early = window.whenConfirmed();
    window.published();
    const late = window.whenConfirmed();
    window.refuse(single(3), () => new Error('refused'));
    await expect(late).rejects.toThrow('refused');
    window.confirm(upTo(2));
    await early;
    await window.whenConfirmed();
  });
});
