import { performance } from 'node:perf_hooks';
import type { Clock } from '../policy/clock.js';

/** The clock of the process: monotonic, so that a jump of the wall clock ends nothing early. */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(delay, task) {
    const timer = setTimeout(task, delay);
    return () => clearTimeout(timer);
  },
};
