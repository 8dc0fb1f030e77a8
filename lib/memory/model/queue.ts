import { long } from '../wire/field-value.js';
import { Alarm } from './alarm.js';
import type { QueueConsumer } from './consumer.js';
import type { StoredMessage } from './message.js';
import type { QueueSettings } from './queue-arguments.js';
import type { QueueDeclaration, QueueSurroundings } from './queue-declaration.js';
import { expiryOf } from './message-expiry.js';
import { QueueBounds } from './queue-bounds.js';
import { QueueConsumers } from './queue-consumers.js';
import type { QueuedMessage } from './queued-message.js';
import type { ReturnPlace } from './ready-line.js';
import { ReadyMessages } from './ready-messages.js';

/** Whether a queue took a message. */
export type Enqueued = 'taken' | 'rejected';

/** The messages of a queue and those who consume them. */
export class MemoryQueue {
  readonly name: string;
  readonly settings: QueueSettings;
  readonly consumers: QueueConsumers;
  /** It, or the node it is on, is gone: its messages and consumers with it. */
  deleted = false;
  readonly #ready: ReadyMessages;
  #unacked = 0;
  #sequence = 0;
  readonly #bounds: QueueBounds;
  /** When the next message at a head expires. */
  readonly #ttl: Alarm;
  /** When it goes for want of use. */
  readonly #expiry: Alarm;

  constructor(
    readonly declaration: QueueDeclaration,
    private readonly around: QueueSurroundings,
  ) {
    const { name, settings } = declaration;
    this.name = name;
    this.settings = settings;
    this.consumers = new QueueConsumers(settings.singleActiveConsumer);
    this.#ready = new ReadyMessages(settings.maxPriority);
    this.#bounds = new QueueBounds(settings);
    this.#ttl = new Alarm(around.clock, () => {
      this.#expire();
      around.changed();
    });
    this.#expiry = new Alarm(around.clock, () => around.expired(this));
    this.used();
  }

  get ready(): number {
    return this.#ready.size;
  }

  get unacked(): number {
    return this.#unacked;
  }

  /** A quorum queue is on every node of its cluster, a classic one on that which declared it. */
  get isReplicated(): boolean {
    return this.settings.type === 'quorum';
  }

  /** It was declared, consumed or asked for a message: `x-expires` counts from now. */
  used(): void {
    const { expires } = this.settings;
    if (expires === undefined) return;
    const isUsed = this.deleted || this.consumers.size > 0;
    this.#expiry.set(isUsed ? undefined : this.around.clock.now() + expires);
  }

  publish(message: StoredMessage): Enqueued {
    if (this.#bounds.refuses(this.#ready, message.body)) {
      if (this.settings.overflow === 'reject-publish-dlx') {
        this.around.deadLetter(message, 'maxlen', this);
      }
      return 'rejected';
    }
    this.#sequence += 1;
    const queued: QueuedMessage = {
      sequence: this.#sequence,
      message,
      expiresAt: expiryOf(message, this.settings, this.around.clock.now()),
      priority: Math.min(message.decoded.priority ?? 0, this.settings.maxPriority),
      returns: 0,
    };
    // What somebody waits for cannot expire, be its time to live 0.
    if (this.#ready.size > 0 || !this.#handOver(queued)) {
      this.#ready.append(queued);
      this.#dropOverflow();
      this.#expire();
    }
    this.around.changed();
    return 'taken';
  }

  /** Takes a message for one that asked for it. */
  get(): QueuedMessage | undefined {
    this.used();
    this.#expireNow();
    const queued = this.#ready.shift();
    if (queued !== undefined) this.#unacked += 1;
    this.#expire();
    return queued;
  }

  /** What was taken is done with. */
  settled(count: number): void {
    this.#unacked -= count;
    this.around.changed();
  }

  /** Puts back what was taken; in the order in which it was taken. @param lost its channel has ended */
  requeue(messages: readonly QueuedMessage[], lost: boolean): void {
    this.#unacked -= messages.length;
    if (this.deleted) return;
    this.#bounds.look(this.#ready);
    const { deliveryLimit } = this.settings;
    const back: QueuedMessage[] = [];
    for (const queued of messages) {
      queued.returns += 1;
      if (deliveryLimit !== undefined && this.isReplicated && queued.returns > deliveryLimit) {
        this.around.deadLetter(queued.message, 'delivery_limit', this);
      } else back.push(queued);
    }
    this.#ready.giveBack(back, this.#placeFor(lost));
    // Before anybody is served, as in RabbitMQ: what came back may be what there is no room for.
    this.#dropOverflow();
    this.serve();
    this.around.changed();
  }

  /** What was taken is of no use to anybody. */
  reject(messages: readonly QueuedMessage[]): void {
    this.#unacked -= messages.length;
    if (this.deleted) return;
    for (const { message } of messages) this.around.deadLetter(message, 'rejected', this);
    this.around.changed();
  }

  /** As it is delivered: a quorum queue says how often it was put back; to one that gets it, be it never. */
  deliverable({ message, returns }: QueuedMessage, got: boolean): StoredMessage {
    if (!this.isReplicated || (returns === 0 && !got)) return message;
    return message.withHeader('x-delivery-count', long(returns));
  }

  subscribe(consumer: QueueConsumer): void {
    this.consumers.add(consumer);
    this.used();
    this.around.changed();
  }

  /** @returns whether it was the last consumer of a queue that goes with it */
  unsubscribe(consumer: QueueConsumer): boolean {
    this.consumers.remove(consumer);
    this.used();
    this.around.changed();
    if (this.declaration.autoDelete && this.consumers.size === 0) return true;
    this.serve();
    return false;
  }

  /** Gives messages to consumers as long as there are both. */
  serve(): void {
    if (this.deleted) return;
    this.consumers.wake();
    this.#expireNow();
    for (let { first } = this.#ready; first !== undefined; { first } = this.#ready) {
      if (!this.#handOver(first)) break;
      this.#ready.shift();
    }
    this.#expire();
  }

  /** From the side of the broker. @returns how many */
  cancelConsumers(): number {
    const { size } = this.consumers;
    for (const consumer of this.consumers) {
      this.consumers.remove(consumer);
      consumer.cancelled();
    }
    this.around.changed();
    return size;
  }

  /** @returns how many messages that were ready are gone */
  purge(): number {
    const purged = this.#ready.clear();
    this.#expire();
    this.around.changed();
    return purged;
  }

  /** Its node has gone: only what would be on a disk is there when that comes back. */
  restart(): void {
    this.cancelConsumers();
    this.#ready.filter(({ message }) => message.isPersistent);
  }

  /** Ends its timers; tells its consumers. */
  delete(): number {
    this.deleted = true;
    const size = this.#ready.clear();
    this.#ttl.set(undefined);
    this.#expiry.set(undefined);
    this.cancelConsumers();
    return size;
  }

  /** @returns whether a consumer has taken it */
  #handOver(queued: QueuedMessage): boolean {
    const consumer = this.consumers.next();
    if (consumer === undefined) return false;
    if (!consumer.noAck) this.#unacked += 1;
    consumer.deliver(queued, this);
    return true;
  }

  /** A quorum queue of 3.10 has what a client gives back go to the end, unless it is to count how often. */
  #placeFor(lost: boolean): ReturnPlace {
    if (!this.isReplicated) return 'own';
    return lost || this.settings.deliveryLimit !== undefined ? 'front' : 'back';
  }

  #dropOverflow(): void {
    if (this.settings.overflow !== 'drop-head') return;
    while (this.#bounds.overflows(this.#ready)) {
      // The next that would be served, so that of the highest priority.
      const dropped = this.#ready.shift();
      if (dropped === undefined) return;
      this.around.deadLetter(dropped.message, 'maxlen', this);
    }
  }

  #expireNow(): void {
    if (this.#ready.nextExpiry === undefined) return;
    for (const { message } of this.#ready.takeExpired(this.around.clock.now())) {
      this.around.deadLetter(message, 'expired', this);
    }
  }

  /** What is due goes now; one timer is for whichever message at a head is due next. */
  #expire(): void {
    this.#expireNow();
    this.#ttl.set(this.#ready.nextExpiry);
  }
}
