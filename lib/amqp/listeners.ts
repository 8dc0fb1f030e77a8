type Listener<A extends unknown[]> = (...args: A) => void;

/** Tells of a listener that threw. */
export type ReportListenerError = (error: unknown, where: string) => void;

/**
 * The listeners of one event. One that throws is reported and keeps neither the others nor the caller from going on; one
 * that is added or removed while the event is told takes part from the next time on.
 */
export class Listeners<A extends unknown[]> {
  #listeners: readonly Listener<A>[] = [];

  constructor(
    private readonly where: string,
    private readonly report: ReportListenerError,
  ) {}

  add(listener: Listener<A>): void {
    this.#listeners = [...this.#listeners, listener];
  }

  remove(listener: Listener<A>): void {
    const at = this.#listeners.lastIndexOf(listener);
    if (at !== -1) this.#listeners = this.#listeners.toSpliced(at, 1);
  }

  clear(): void {
    this.#listeners = [];
  }

  tell(...args: A): void {
    for (const listener of this.#listeners) {
      try {
        listener(...args);
      } catch (error) {
        this.report(error, this.where);
      }
    }
  }
}
