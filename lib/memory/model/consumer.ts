import type { FieldTable } from '../wire/field-value.js';
import type { MemoryQueue } from './queue.js';
import type { QueuedMessage } from './queued-message.js';

/** What a queue knows of one that consumes from it. */
export interface QueueConsumer {
  readonly tag: string;
  readonly noAck: boolean;
  readonly exclusive: boolean;
  /** Higher ones are served first. */
  readonly priority: number;
  readonly arguments: FieldTable;
  /** Whether its prefetch and its socket have room for one more. */
  readonly hasRoom: boolean;
  deliver(queued: QueuedMessage, from: MemoryQueue): void;
  /** The queue is gone, or another cause on the side of the broker. */
  cancelled(): void;
}
