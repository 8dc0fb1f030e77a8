import type { Confirmation } from './channel.js';

interface Waiter {
  readonly upTo: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Which publishes of a confirm channel are still unconfirmed. Numbers count from 1. Costs nothing per message while the
 * broker confirms in order, whatever the number it jumps to. Confirmations that are repeated, or of a number that was
 * never published, change nothing.
 */
export class ConfirmWindow {
  #published = 0;
  #lowest = 1;
  readonly #ahead = new Set<number>();
  #waiters: Waiter[] = [];

  get outstanding(): number {
    return this.#published - (this.#lowest - 1) - this.#ahead.size;
  }

  published(): void {
    this.#published += 1;
  }

  confirm({ deliveryTag, multiple }: Confirmation): void {
    if (deliveryTag > this.#published || deliveryTag < this.#lowest) return;
    if (multiple) {
      this.#lowest = deliveryTag + 1;
      for (const tag of this.#ahead) if (tag <= deliveryTag) this.#ahead.delete(tag);
    } else if (deliveryTag === this.#lowest) this.#lowest += 1;
    else this.#ahead.add(deliveryTag);
    while (this.#ahead.delete(this.#lowest)) this.#lowest += 1;
    if (this.#waiters.length > 0) this.#release();
  }

  /** As `confirm`, and rejects those who wait for one of the refused publishes. */
  refuse(confirmation: Confirmation, refusal: () => Error): void {
    const { deliveryTag, multiple } = confirmation;
    const first = multiple ? this.#lowest : deliveryTag;
    if (deliveryTag <= this.#published && first >= this.#lowest && first <= deliveryTag) {
      this.#rejectFrom(first, refusal);
    }
    this.confirm(confirmation);
  }

  /** Resolves when everything published before the call is confirmed. */
  whenConfirmed(): Promise<void> {
    if (this.outstanding === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ upTo: this.#published, resolve, reject });
    });
  }

  rejectAll(reason: () => Error): void {
    this.#rejectFrom(1, reason);
  }

  #release(): void {
    this.#waiters = this.#waiters.filter((waiter) => {
      if (waiter.upTo >= this.#lowest) return true;
      waiter.resolve();
      return false;
    });
  }

  #rejectFrom(first: number, reason: () => Error): void {
    this.#waiters = this.#waiters.filter((waiter) => {
      if (waiter.upTo < first) return true;
      waiter.reject(reason());
      return false;
    });
  }
}
