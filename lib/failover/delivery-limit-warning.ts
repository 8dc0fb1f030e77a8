import type { Queue } from '../amqp/queue.js';
import { nothingDeadLettered } from '../consumer.messages.js';
import type { FailoverLogger } from './logger.js';

/**
 * Each failure of a handler counts toward the delivery limit of a quorum queue (20 by default since RabbitMQ 4.0), at which
 * the message is dropped unless there is a dead-letter exchange. A policy of the broker may name one; that is not seen here.
 */
export function warnOfDeliveryLimit(
  name: string,
  queues: readonly Queue[],
  logger: Pick<FailoverLogger, 'warn'>,
): void {
  for (const queue of queues) {
    const isDropping = queue.type === 'quorum' && queue.deadLetterExchange === undefined;
    if (isDropping && !queue.noDeclare) logger.warn(nothingDeadLettered(name, queue.name));
  }
}
