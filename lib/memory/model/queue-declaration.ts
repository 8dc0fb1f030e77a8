import type { MemoryClock } from '../clock.js';
import type { FieldTable } from '../wire/field-value.js';
import type { DeathReason } from './dead-letter.js';
import type { StoredMessage } from './message.js';
import type { QueueSettings } from './queue-arguments.js';
import type { MemoryQueue } from './queue.js';

/** What a queue is declared as, and where. */
export interface QueueDeclaration {
  readonly name: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly arguments: FieldTable;
  readonly settings: QueueSettings;
  /** The connection that alone may use it, and with which it goes. */
  readonly owner: object | undefined;
  /** The node of a cluster that a classic queue is on. */
  readonly home: { readonly name: string };
}

/** What a queue needs around it. */
export interface QueueSurroundings {
  readonly clock: MemoryClock;
  /** Publishes what is dead to the queue's dead-letter exchange, if it has one. */
  deadLetter(message: StoredMessage, reason: DeathReason, from: MemoryQueue): void;
  /** It has had no use for as long as it may (`x-expires`). */
  expired(queue: MemoryQueue): void;
  /** Something about it has changed that somebody may wait for. */
  changed(): void;
}
