import { isAmqpError, isTopologyError } from '../../errors.js';
import type { OperationFailure } from '../operation-failure.js';
import { endsFirstStart } from '../first-start.js';

/** How a session of a mixin came to its end. */
export interface SessionFailure {
  readonly error: Error;
  /** Its consumers were registered. */
  readonly consumed: boolean;
  /** The error is how one of its consumers ended. */
  readonly isEnd: boolean;
  /** By what the error would be mended, as far as it is one of this connection. */
  readonly judged: OperationFailure;
  /** The run has consumed, in this session or in one before. */
  readonly ranBefore: boolean;
}

/**
 * What a run does after it. `again`: the next session at once, within the restart limit. `wait`: after an interval that grows.
 * `leave`: the error is the caller's: it is their own, or nothing mends it.
 */
export function afterSession(failure: SessionFailure): 'again' | 'wait' | 'leave' {
  const { error, consumed, isEnd, judged, ranBefore } = failure;
  const recoverable = judged.recoverableBy !== 'none';
  if (consumed) return isEnd || recoverable ? 'again' : 'leave';
  if (judged.recoverableBy === 'connection') return 'again';
  const isBrokers = isTopologyError(error) || (isAmqpError(error) && judged.fault !== undefined);
  if (!isBrokers || (!ranBefore && endsFirstStart(error, 'mismatch'))) return 'leave';
  return 'wait';
}
