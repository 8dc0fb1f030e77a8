import { describeMatch, matches, nthOf, type FrameMatch } from './frame-match.js';
import type { RecordedFrame } from './wire-frame.js';

interface Waiter {
  readonly match: FrameMatch;
  left: number;
  settle(outcome: RecordedFrame | Error): void;
}

/** Frames in order, and waits for them. Keeps the last `limit` frames at least; `forgotten` counts those let go. */
export class Recording {
  readonly frames: RecordedFrame[] = [];
  forgotten = 0;
  private readonly waiters = new Set<Waiter>();

  constructor(
    private readonly title: string,
    private readonly limit: number,
  ) {}

  add(frame: RecordedFrame): void {
    this.frames.push(frame);
    // A quarter at once: letting go of one frame at a time would move the whole array each time.
    if (this.frames.length > this.limit * 1.25) {
      this.forgotten += this.frames.splice(0, this.frames.length - this.limit).length;
    }
    for (const waiter of this.waiters) {
      if (!matches(waiter.match, frame)) continue;
      waiter.left -= 1;
      if (waiter.left === 0) waiter.settle(frame);
    }
  }

  count(match: FrameMatch): number {
    return this.frames.reduce((sum, frame) => sum + (matches(match, frame) ? 1 : 0), 0);
  }

  /** The nth frame that matches, of those kept or still to come; rejects after `timeout` milliseconds. */
  wait(match: FrameMatch, timeout: number): Promise<RecordedFrame> {
    let left = nthOf(match);
    for (const frame of this.frames) {
      if (!matches(match, frame)) continue;
      left -= 1;
      if (left === 0) return Promise.resolve(frame);
    }
    const coming = new Promise<RecordedFrame>((resolve, reject) => {
      const timer = setTimeout(() => {
        waiter.settle(this.missing(match, `within ${timeout} ms`));
      }, timeout);
      const waiter: Waiter = {
        match,
        left,
        settle: (outcome) => {
          clearTimeout(timer);
          this.waiters.delete(waiter);
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        },
      };
      this.waiters.add(waiter);
    });
    // Whoever awaits it later still gets the rejection; nobody's process ends of it before.
    coming.catch(() => undefined);
    return coming;
  }

  /** Nothing will come any more: whoever waits is told. */
  end(): void {
    for (const { match, settle } of this.waiters) {
      settle(this.missing(match, 'before the proxy was closed'));
    }
  }

  private missing(match: FrameMatch, when: string): Error {
    const last = this.frames
      .slice(-12)
      .map(({ connection, direction, method }) => `${connection}:${direction}:${method}`);
    return new Error(
      `${describeMatch(match)} has not ${this.title} ${when}; the last were: ${last.join(', ') || 'none'}`,
    );
  }
}
