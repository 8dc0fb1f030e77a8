import type { MemoryClock } from '../clock.js';

/** One timer, which is moved. */
export class Alarm {
  #at: number | undefined;
  #cancel: (() => void) | undefined;

  constructor(
    private readonly clock: MemoryClock,
    private readonly ring: () => void,
  ) {}

  /** @param at a reading of the clock; undefined: never */
  set(at: number | undefined): void {
    if (at === this.#at) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#at = at;
    if (at !== undefined) this.#wait(at);
  }

  #wait(at: number): void {
    const { clock } = this;
    this.#cancel = clock.schedule(at - clock.now(), () => {
      // A clock may not be able to wait for as long as that.
      if (clock.now() < at) {
        this.#wait(at);
        return;
      }
      this.#at = undefined;
      this.ring();
    });
  }
}
