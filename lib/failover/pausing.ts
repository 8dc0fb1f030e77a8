import { settledWithin } from './settled-within.js';
import type { Clock } from '../policy/clock.js';

/** Whether a consumer is paused, and who waits for the end of that. */
export class Pausing {
  #over: Promise<void> | undefined;
  #resume: () => void = () => undefined;

  constructor(private readonly clock: Clock) {}

  get on(): boolean {
    return this.#over !== undefined;
  }

  begin(): void {
    this.#over ??= new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  end(): void {
    this.#over = undefined;
    this.#resume();
  }

  /** Resolves when it is not paused, or when `signal` aborts. */
  async over(signal: AbortSignal): Promise<void> {
    while (this.#over !== undefined && !signal.aborted) {
      await settledWithin(this.clock, undefined, signal, this.#over);
    }
  }
}
