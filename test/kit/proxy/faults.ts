import { describeMatch, matches, nthOf, type FrameMatch } from './frame-match.js';
import type { Direction, RecordedFrame } from './wire-frame.js';

export type CutKind = 'rst' | 'fin';

/**
 * What to do at a frame. `cut-*`: end both TCP connections, the frame does not pass. `cut-after-*`: the frame and, of a
 * publish, return, deliver or get-ok, its whole content pass first; a cut after a header or a body frame comes right
 * after it. The client sees a RST or a FIN as asked; the broker always sees a FIN, because a RST would discard what
 * passed before and is still in the kernel. `drop`: the frame and its content do not pass, all else does. `hold`: the
 * frame and all that follows it in its direction wait for `release()`. `pass`: nothing.
 */
export type FaultVerb =
  'pass' | 'drop' | 'hold' | 'cut-rst' | 'cut-fin' | 'cut-after-rst' | 'cut-after-fin';

/** The connection a fault happens on, for faults that are functions. */
export interface FaultyLink {
  readonly connection: number;
  /** The frame in full. */
  readonly bytes: Buffer;
  /** Writes bytes toward the other side as if `from` had sent them, e.g. a frame of one's own or a piece of one. */
  inject(from: Direction, bytes: Buffer): void;
  cut(kind: CutKind): Promise<void>;
}

/** The direction of the frame waits until the function's promise settles. It returns a verb; nothing means `pass`. */
export type FaultFunction = (frame: RecordedFrame, link: FaultyLink) => Promise<FaultVerb | void>;

export type FaultAction = FaultVerb | FaultFunction;

/** A fault waiting for its frame. */
export class ArmedFault {
  /** Settles once the action has been carried out. Rejects if the proxy closes first or the function throws. */
  readonly happened: Promise<RecordedFrame>;
  resolve!: (frame: RecordedFrame) => void;
  reject!: (error: Error) => void;
  /** Of a fault that holds: lets its direction go on. */
  release: () => void = () => undefined;
  private seen = 0;

  constructor(
    readonly match: FrameMatch,
    readonly action: FaultAction,
  ) {
    this.happened = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // A test that does not ask whether its fault happened must not die of an unhandled rejection.
    this.happened.catch(() => undefined);
  }

  counts(frame: RecordedFrame): boolean {
    if (!matches(this.match, frame)) return false;
    this.seen += 1;
    return this.seen >= nthOf(this.match);
  }
}

/** The armed faults, first armed first served; each happens once. */
export class FaultList {
  private armed: ArmedFault[] = [];
  private readonly all: ArmedFault[] = [];

  arm(match: FrameMatch, action: FaultAction): ArmedFault {
    const fault = new ArmedFault(match, action);
    this.armed.push(fault);
    this.all.push(fault);
    return fault;
  }

  disarm(fault: ArmedFault): void {
    this.armed = this.armed.filter((one) => one !== fault);
  }

  /** The fault for this frame. All count the frame; only the first whose turn it is gets it. */
  take(frame: RecordedFrame): ArmedFault | undefined {
    if (this.armed.length === 0) return undefined;
    let taker: ArmedFault | undefined;
    for (const fault of this.armed) if (fault.counts(frame)) taker ??= fault;
    if (taker) this.disarm(taker);
    return taker;
  }

  end(): void {
    this.armed = [];
    // Also those whose frame came: a cut may still have waited for the end of a content. Settled ones ignore it.
    for (const { match, reject } of this.all) {
      reject(
        new Error(`the fault at ${describeMatch(match)} had not happened when the proxy closed`),
      );
    }
  }
}
