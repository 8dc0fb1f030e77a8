import type { Clock } from '../../../lib/policy/clock.js';

/** Resolves when every promise that can settle by now has settled. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Task {
  readonly at: number;
  readonly run: () => void;
}

/** A clock that moves when told. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #tasks = new Set<Task>();
  /** Every delay that was ever asked for, in order. */
  readonly delays: number[] = [];

  now(): number {
    return this.#now;
  }

  schedule(delay: number, run: () => void): () => void {
    this.delays.push(delay);
    const task = { at: this.#now + delay, run };
    this.#tasks.add(task);
    return () => void this.#tasks.delete(task);
  }

  /** Tasks that wait for their time. */
  get pending(): number {
    return this.#tasks.size;
  }

  /** Moves on, task by task, and lets everything settle after each. */
  async advance(duration: number): Promise<void> {
    const end = this.#now + duration;
    await settled();
    for (let task = this.#due(end); task !== undefined; task = this.#due(end)) {
      this.#now = Math.max(this.#now, task.at);
      this.#tasks.delete(task);
      task.run();
      await settled();
    }
    this.#now = end;
  }

  #due(end: number): Task | undefined {
    let first: Task | undefined;
    for (const task of this.#tasks) {
      if (task.at <= end && (first === undefined || task.at < first.at)) first = task;
    }
    return first;
  }
}
