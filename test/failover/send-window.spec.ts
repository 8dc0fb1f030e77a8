import { describe, expect, it } from 'vitest';
import { SendWindow } from '../../lib/failover/send-window.js';
import { entries } from './fakes/outbox-entries.js';

describe('the window', () => {
  it('halves with what was unconfirmed, down to one', () => {
    const window = new SendWindow(2_000);
    const sizes = [8, 4, 2, 1].map((count) => {
      window.narrow(entries(count));
      return window.size;
    });
    expect(sizes).toEqual([4, 2, 1, 1]);
  });

  it('doubles with each windowful that was harmless', () => {
    const window = new SendWindow(2_000);
    const suspects = entries(9);
    window.narrow(suspects);
    const sizes = suspects.map((one) => {
      window.clear(one);
      return window.size;
    });
    expect(sizes).toEqual([4, 4, 4, 8, 8, 8, 8, 8, 2_000]);
  });

  it('is not changed by others, nor by none', () => {
    const window = new SendWindow(10);
    window.narrow([]);
    for (const one of entries(3)) window.clear(one);
    expect(window.size).toBe(10);
  });

  it('never grows past its limit', () => {
    const window = new SendWindow(3);
    const suspects = entries(6);
    window.narrow(suspects);
    for (const one of suspects.slice(0, 3)) window.clear(one);
    expect(window.size).toBe(3);
  });
});
