import type { Direction } from './wire-frame.js';

/** At most `bytes` bytes, then a pause of `every` milliseconds, and so on. */
export interface Pace {
  readonly bytes: number;
  readonly every: number;
}

/** State of the whole link: it holds for every connection, also for those still to come. */
export class LinkConditions {
  readonly held = new Set<Direction>();
  readonly pace = new Map<Direction, Pace>();
}

export function directions(which: Direction | 'both'): readonly Direction[] {
  return which === 'both' ? ['client', 'broker'] : [which];
}
