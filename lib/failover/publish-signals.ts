import type { OutboxEntry } from './outbox-entry.js';

interface Heeded {
  readonly entries: Set<OutboxEntry>;
  readonly deaf: () => void;
}

/** The signals of publishes. One listener for each signal, however many publishes share it. */
export class PublishSignals {
  readonly #heeded = new Map<AbortSignal, Heeded>();

  constructor(private readonly aborted: (entry: OutboxEntry, reason: unknown) => void) {}

  add(entry: OutboxEntry): void {
    const { signal } = entry;
    if (signal === undefined) return;
    const heeded = this.#heeded.get(signal) ?? this.#listen(signal);
    heeded.entries.add(entry);
  }

  /** Must be called for each entry that settles. */
  remove(entry: OutboxEntry): void {
    const heeded = entry.signal && this.#heeded.get(entry.signal);
    if (heeded === undefined || !heeded.entries.delete(entry) || heeded.entries.size > 0) return;
    heeded.deaf();
  }

  #listen(signal: AbortSignal): Heeded {
    const aborted = (): void => {
      for (const entry of heeded.entries) this.aborted(entry, signal.reason);
    };
    const deaf = (): void => {
      this.#heeded.delete(signal);
      signal.removeEventListener('abort', aborted);
    };
    const heeded: Heeded = { entries: new Set(), deaf };
    signal.addEventListener('abort', aborted, { once: true });
    this.#heeded.set(signal, heeded);
    return heeded;
  }
}
