/** The seam for time. Everything that waits takes one; tests give a clock that moves when told. */
export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. */
  now(): number;
  /** Calls `task` once, `delay` milliseconds from now. The returned function cancels it and may be called at any time. */
  schedule(delay: number, task: () => void): () => void;
}

/** The seam for chance: a number in [0, 1), as of `Math.random`. */
export type Random = () => number;
