import type { ConnectLoop, WaitOptions } from './connect-loop.js';
import type { Link } from './link.js';
import type { OperationFailure } from './operation-failure.js';
import { Patience } from './patience.js';
import type { Clock } from '../policy/clock.js';

export interface LiveLinkParts {
  readonly clock: Clock;
  readonly loop: ConnectLoop;
  readonly judge: (error: unknown) => OperationFailure;
}

/**
 * Gives what `use` makes of the current link. A link that is lost meanwhile has a successor; the loop's own backoff keeps
 * this from running hot.
 *
 * @param late gets what was made after the caller had lost patience
 * @throws what `use` rejects with, unless another connection would mend it
 */
export async function onLiveLink<T>(
  { clock, loop, judge }: LiveLinkParts,
  { timeout, signal, ...wait }: WaitOptions,
  use: (link: Link) => Promise<T>,
  late: (made: T) => void = () => undefined,
): Promise<T> {
  const patience = new Patience(clock, { timeout, signal }, () => loop.timedOut(timeout ?? 0));
  const tell = (made: T): void => (patience.signal.aborted ? late(made) : undefined);
  try {
    for (;;) {
      patience.check();
      const link = await loop.wait({ ...wait, signal: patience.signal });
      try {
        const made = use(link);
        made.then(tell, () => undefined);
        return await patience.race(made);
      } catch (error) {
        patience.check();
        if (judge(error).recoverableBy !== 'connection') throw error;
      }
    }
  } finally {
    patience[Symbol.dispose]();
  }
}
