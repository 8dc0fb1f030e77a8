/** Time, as queues see it. */
export interface MemoryClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** @returns cancels it */
  schedule(delay: number, task: () => void): () => void;
}

// What setTimeout can wait at most; beyond that it would fire at once.
const LONGEST = 2_147_483_647;

/** The time of this process. Its timers keep no process alive. */
export const systemClock: MemoryClock = {
  now: () => Date.now(),
  schedule: (delay, task) => {
    const timer = setTimeout(task, Math.min(Math.max(delay, 0), LONGEST));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
