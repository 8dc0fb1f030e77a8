/** What would mend a failed operation: a new connection, a new channel, or nothing that we could do. */
export type Recoverability = 'connection' | 'channel' | 'none';

/** What is known of a failed operation. */
export interface FailureFacts {
  /** The connection that the operation ran on is no longer the current one. */
  readonly connectionLost: boolean;
  /** The channel that the operation ran on is closed. */
  readonly channelClosed: boolean;
  /** The AMQP reply code, if the broker gave one for this operation or for the loss. */
  readonly code: number | undefined;
}

/**
 * Connection-level codes that say that we, or our configuration, are wrong; another broker would say the same: 402
 * invalid-path, 501-505 malformed or unexpected frames, 530 not-allowed, 540 not-implemented.
 */
const ourFault: ReadonlySet<number> = new Set([402, 501, 502, 503, 504, 505, 530, 540]);

/** Channel-level codes that tell about the entity, not about the moment: 403 refused, 404 missing, 406 precondition. */
const entityFault: ReadonlySet<number> = new Set([403, 404, 406]);

/**
 * | facts | recoverable by |
 * |---|---|
 * | connection lost with 402, 501-505, 530, 540 | none |
 * | connection lost with no code (socket, heartbeat), 320 forced, 506 resource, 541 internal, any other code | connection |
 * | channel closed with 403, 404, 406 | none |
 * | channel closed with no code, 311, 313, 405 locked, 541, any other code | channel |
 * | both live: the operation itself was refused (a value that cannot be encoded) | none |
 *
 * The table is py-amqp's, except that 541 is recoverable: a broker with an internal error is the reason to have a second.
 * A code that it does not know is recoverable on its own level: the retries of the caller bound what a wrong guess costs, while
 * giving up on a moment's fault could not be undone.
 */
export function recoverability(facts: FailureFacts): Recoverability {
  if (facts.connectionLost) {
    return facts.code !== undefined && ourFault.has(facts.code) ? 'none' : 'connection';
  }
  if (facts.channelClosed) {
    return facts.code !== undefined && entityFault.has(facts.code) ? 'none' : 'channel';
  }
  return 'none';
}
