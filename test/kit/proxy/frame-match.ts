import type { Direction, FrameName, RecordedFrame } from './wire-frame.js';

/** Which frame is meant. What is left out matches anything; `nth` counts from 1 (default). */
export interface FramePattern {
  direction?: Direction;
  method?: FrameName;
  nth?: number;
  /** Number of the TCP connection, from 1 in the order of acceptance. */
  connection?: number;
  channel?: number;
}

export type FrameMatch = FramePattern | ((frame: RecordedFrame) => boolean);

export function matches(match: FrameMatch, frame: RecordedFrame): boolean {
  if (typeof match === 'function') return match(frame);
  return (
    (match.direction === undefined || match.direction === frame.direction) &&
    (match.method === undefined || match.method === frame.method) &&
    (match.connection === undefined || match.connection === frame.connection) &&
    (match.channel === undefined || match.channel === frame.channel)
  );
}

export function nthOf(match: FrameMatch): number {
  return typeof match === 'function' ? 1 : (match.nth ?? 1);
}

export function describeMatch(match: FrameMatch): string {
  return typeof match === 'function' ? 'a frame that fits the predicate' : JSON.stringify(match);
}
