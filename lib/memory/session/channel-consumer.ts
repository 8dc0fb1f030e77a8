import type { QueueConsumer } from '../model/consumer.js';
import type { MemoryQueue } from '../model/queue.js';
import type { QueuedMessage } from '../model/queued-message.js';
import type { FieldTable } from '../wire/field-value.js';
import { integerOf } from '../wire/field-value.js';
import type { ServerChannel } from './server-channel.js';

export interface ConsumerDeclaration {
  readonly tag: string;
  readonly queue: MemoryQueue;
  readonly noAck: boolean;
  readonly exclusive: boolean;
  /** Of this consumer alone; 0: no limit. */
  readonly prefetch: number;
  readonly arguments: FieldTable;
}

/** One consumer, on its channel. */
export class ChannelConsumer implements QueueConsumer {
  readonly tag: string;
  readonly queue: MemoryQueue;
  readonly noAck: boolean;
  readonly exclusive: boolean;
  readonly priority: number;
  readonly prefetch: number;
  readonly arguments: FieldTable;
  /** Delivered and not settled. */
  unacked = 0;

  constructor(
    readonly channel: ServerChannel,
    declaration: ConsumerDeclaration,
  ) {
    this.tag = declaration.tag;
    this.queue = declaration.queue;
    this.noAck = declaration.noAck;
    this.exclusive = declaration.exclusive;
    this.prefetch = declaration.prefetch;
    this.arguments = declaration.arguments;
    this.priority = integerOf(declaration.arguments.get('x-priority')) ?? 0;
  }

  get hasRoom(): boolean {
    if (!this.channel.canDeliver) return false;
    if (this.noAck) return true;
    return (this.prefetch === 0 || this.unacked < this.prefetch) && this.channel.hasRoom;
  }

  deliver(queued: QueuedMessage, from: MemoryQueue): void {
    this.channel.deliver(queued, from, this);
  }

  cancelled(): void {
    this.channel.cancelled(this);
  }
}
