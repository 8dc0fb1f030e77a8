import type { StoredMessage } from './message.js';

/** A message in one queue. */
export interface QueuedMessage {
  /** Its place in the order in which the queue took its messages. */
  readonly sequence: number;
  readonly message: StoredMessage;
  /** A reading of the clock; undefined: never. */
  readonly expiresAt: number | undefined;
  readonly priority: number;
  /** How often it was put back. */
  returns: number;
}
