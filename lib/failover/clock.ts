import { performance } from 'node:perf_hooks';
import type { Clock } from '../policy/clock.js';

// A longer delay does not fit into Node's timers, which then fire at once. Nobody waits for 24 days.
const LONGEST = 2 ** 31 - 1;

/** The clock of the process: monotonic, so that a jump of the wall clock ends nothing early. */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(delay, task) {
    const timer = setTimeout(task, Math.min(delay, LONGEST));
    return () => clearTimeout(timer);
  },
};
