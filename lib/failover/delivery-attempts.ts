import type { Message } from './message.js';

/** Quorum queues count how often a message was handed back. */
const DELIVERY_COUNT = 'x-delivery-count';

/** Enough for every message in hand many times over; the oldest are forgotten first. */
const MOST_REMEMBERED = 10_000;

const messageIdOf = ({ properties }: Message): string | undefined => {
  const { messageId } = properties as { messageId?: unknown };
  return typeof messageId === 'string' ? messageId : undefined;
};

/** What the broker has counted. On a classic queue the header is the publisher's, who may write anything into it. */
const countedBy = ({ headers }: Message): number | undefined => {
  const count = headers[DELIVERY_COUNT];
  return typeof count === 'number' && count >= 0 ? count : undefined;
};

/**
 * How often a message was tried before: by the broker's count, and by what this process remembers by message id, whichever
 * is more; without either there is no telling.
 */
export class DeliveryAttempts {
  readonly #failures = new Map<string, number>();

  /** Counts one more failure. @returns how many came before it; infinite when nobody can tell */
  failed(message: Message): number {
    const counted = countedBy(message);
    const messageId = messageIdOf(message);
    if (messageId !== undefined) return Math.max(counted ?? 0, this.#remember(messageId));
    return counted ?? (message.redelivered ? Number.POSITIVE_INFINITY : 0);
  }

  succeeded(message: Message): void {
    if (this.#failures.size === 0) return;
    const messageId = messageIdOf(message);
    if (messageId !== undefined) this.#failures.delete(messageId);
  }

  #remember(messageId: string): number {
    const before = this.#failures.get(messageId) ?? 0;
    this.#failures.delete(messageId);
    this.#failures.set(messageId, before + 1);
    if (this.#failures.size > MOST_REMEMBERED) {
      const [oldest] = this.#failures.keys();
      if (oldest !== undefined) this.#failures.delete(oldest);
    }
    return before;
  }
}
