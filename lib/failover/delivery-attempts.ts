import type { Message } from './message.js';

/** Quorum queues count how often a message was handed back. */
const DELIVERY_COUNT = 'x-delivery-count';

/** Enough for every message in hand many times over; the oldest are forgotten first. */
const MOST_REMEMBERED = 10_000;

/**
 * How often a message was tried before. The broker's count is best; without one, what this process remembers by message id;
 * without an id there is no telling.
 */
export class DeliveryAttempts {
  readonly #failures = new Map<string, number>();

  /** Counts one more failure. @returns how many came before it; infinite when nobody can tell */
  failed(message: Message): number {
    const counted = message.headers[DELIVERY_COUNT];
    if (typeof counted === 'number') return counted;
    const { messageId } = message.properties as { messageId?: unknown };
    if (typeof messageId !== 'string') return message.redelivered ? Number.POSITIVE_INFINITY : 0;
    const before = this.#failures.get(messageId) ?? 0;
    this.#failures.delete(messageId);
    this.#failures.set(messageId, before + 1);
    if (this.#failures.size > MOST_REMEMBERED) {
      const [oldest] = this.#failures.keys();
      if (oldest !== undefined) this.#failures.delete(oldest);
    }
    return before;
  }

  succeeded(message: Message): void {
    if (this.#failures.size === 0) return;
    const { messageId } = message.properties as { messageId?: unknown };
    if (typeof messageId === 'string') this.#failures.delete(messageId);
  }
}
