import { isTopologyError } from '../errors.js';
import { oneOf } from '../policy/check-options.js';
import { isMismatch } from '../policy/reply-codes.js';

/**
 * Which failure ends a consumer that has not consumed yet. The others are retried for ever, with backoff and loudly.
 *
 * - `mismatch`: a queue or exchange exists with other arguments (406)
 * - `failure`: whatever it is; there is one attempt
 * - `nothing`: none; it goes on trying
 */
export type GivesUpOn = 'mismatch' | 'failure' | 'nothing';

/** What `ConsumerLoop.start` takes. */
export interface FirstStartOptions {
  /** @default 'mismatch' */
  readonly givesUpOn?: GivesUpOn | undefined;
}

export const firstStartChecks = { givesUpOn: oneOf('mismatch', 'failure', 'nothing') } as const;

/** Whether a consumer that has not consumed yet is not to try again. */
export function endsFirstStart(error: Error, givesUpOn: GivesUpOn): boolean {
  if (givesUpOn !== 'mismatch') return givesUpOn === 'failure';
  return isTopologyError(error) && isMismatch(error.code);
}
