import type { OutboxEntry } from './outbox-entry.js';

/**
 * How many publishes may be unconfirmed at once. While one is looked for that kills its channel, they are fewer: the window
 * halves each time the channel dies, down to one, and doubles again with each windowful that was harmless.
 */
export class SendWindow {
  #size: number;
  /** Were unconfirmed when a publish killed the channel, and have not been answered since. */
  readonly #suspects = new Set<OutboxEntry>();
  #harmless = 0;

  constructor(private readonly limit: number) {
    this.#size = limit;
  }

  get size(): number {
    return this.#size;
  }

  /** One of these, which are to be sent again, has killed the channel. */
  narrow(suspects: readonly OutboxEntry[]): void {
    if (suspects.length === 0) return;
    for (const entry of suspects) this.#suspects.add(entry);
    this.#harmless = 0;
    this.#size = Math.max(1, Math.floor(suspects.length / 2));
  }

  /** The broker has answered this one, or it has ended otherwise. */
  clear(entry: OutboxEntry): void {
    if (!this.#suspects.delete(entry)) return;
    this.#harmless += 1;
    if (this.#suspects.size === 0) this.#size = this.limit;
    else if (this.#harmless >= this.#size) {
      this.#harmless = 0;
      this.#size = Math.min(this.limit, this.#size * 2);
    }
  }
}
