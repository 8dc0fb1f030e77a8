import type { BrokerConnection } from '../amqp/transport.js';
import type { AmqpError } from '../errors.js';
import { isAmqpError, isOperationalError, isPublishError } from '../errors.js';
import type { Recoverability } from '../policy/recoverability.js';
import { recoverability } from '../policy/recoverability.js';
import type { Link } from './link.js';

/** Chains are short; a longer one is a loop somebody built. */
const LONGEST_CHAIN = 16;

/** Each is the last word of a policy of its own. */
const isLastWord = (error: unknown): boolean => isOperationalError(error) || isPublishError(error);

/**
 * The fault of a connection or channel of ours that an error is, or was caused by. An `OperationalError` ends the search:
 * where a policy has given up, no other one goes on. So does a `PublishError`: the message may be stored, its producer has
 * sent it again as often as it may, and another publish would be another message.
 */
function faultBehind(error: unknown): AmqpError | undefined {
  let current = error;
  for (let depth = 0; depth < LONGEST_CHAIN; depth += 1) {
    if (isAmqpError(current)) return current;
    if (!(current instanceof Error) || isLastWord(current)) return undefined;
    current = current.cause;
  }
  return undefined;
}

/** Where a fault of ours happened. */
export interface FaultPlace {
  /** The address of the broker, with its password masked. */
  readonly broker: string;
  /** Why the connection that it happened on has ended, if it has. */
  readonly loss: Error | undefined;
}

/** What would mend a failed operation, judged by what became of the very connection and channel that it ran on. */
export interface OperationFailure {
  readonly recoverableBy: Recoverability;
  /** Undefined when the error is the caller's own. */
  readonly fault: FaultPlace | undefined;
}

/**
 * Decided in the continuation, by the state: amqplib tells a pending operation of a loss before it tells of the loss, and in
 * words only. An error without our brand is the caller's own, however much it looks like a socket's. So is a fault of a
 * connection that is not one of `ours`: we could not mend it.
 */
export function judge(
  error: unknown,
  current: Link | undefined,
  ours: WeakSet<object>,
): OperationFailure {
  const fault = faultBehind(error)?.fault;
  if (fault === undefined || !ours.has(fault.connection)) {
    return { recoverableBy: 'none', fault: undefined };
  }
  const connection = fault.connection as BrokerConnection;
  const connectionLost = connection !== current?.connection;
  return {
    fault: { broker: connection.broker.toString(), loss: connection.loss },
    recoverableBy: recoverability({
      connectionLost,
      channelClosed: fault.scope === 'channel',
      // A channel's code says nothing about a connection that is gone as well.
      code: connectionLost && fault.scope !== 'connection' ? undefined : fault.code,
    }),
  };
}
