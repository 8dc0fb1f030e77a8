import type { BackoffPolicy } from '../policy/backoff.js';
import { LinkedList } from './linked-list.js';
import { NackedLanes } from './nacked-lanes.js';
import type { OutboxEntry } from './outbox-entry.js';

/** How much an outbox may hold, and how much of it may be unconfirmed at once. */
export interface OutboxLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly window: number;
  readonly nackRetries: number;
  readonly nackBackoff: BackoffPolicy;
}

/** What became of an entry that was lost with its channel and is not sent again. */
export type Verdict = 'unknown' | 'refused';

/**
 * The line of publishes of one producer: what waits, what goes next, and what happens to that which was not confirmed. Pure:
 * it knows no channel, no timer and no promise. Every operation takes constant time, save those on a loss, which take as
 * long as the window is.
 */
export class Outbox {
  /** Sent before, and to be sent again before anything newer. */
  readonly #again = new LinkedList<OutboxEntry>();
  readonly #waiting = new LinkedList<OutboxEntry>();
  readonly #lanes: NackedLanes;
  #messages = 0;
  #bytes = 0;
  /** Smaller than the limit while a publish is looked for that kills its channel. */
  #window: number;
  /** Entries that were unconfirmed when a publish last killed the channel, and have not settled since. */
  #suspects = new Set<OutboxEntry>();

  constructor(private readonly limits: OutboxLimits) {
    this.#lanes = new NackedLanes(limits.nackBackoff);
    this.#window = limits.window;
  }

  get messages(): number {
    return this.#messages;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The most that may be unconfirmed at once. */
  get window(): number {
    return this.#window;
  }

  get nextLaneDue(): number | undefined {
    return this.#lanes.nextDue;
  }

  /** Whether something could be sent at once, were there a channel. */
  get hasLine(): boolean {
    return this.#again.size + this.#waiting.size > 0;
  }

  /** @returns whether there is room for one more of this size; an empty outbox takes any */
  hasRoom(size: number): boolean {
    const { maxMessages, maxBytes } = this.limits;
    return this.#messages < maxMessages && (this.#messages === 0 || this.#bytes + size <= maxBytes);
  }

  add(entry: OutboxEntry): void {
    this.#messages += 1;
    this.#bytes += entry.size;
    this.#waiting.append(entry.place);
  }

  /** Takes the next one to send, if fewer than `window` are unconfirmed. What has to wait behind a nacked one steps aside. */
  take(unconfirmed: number): OutboxEntry | undefined {
    if (unconfirmed >= this.#window) return undefined;
    for (;;) {
      const entry = this.#again.first ?? this.#waiting.first;
      if (entry === undefined) return undefined;
      if (!this.#lanes.hold(entry)) {
        entry.place.leave();
        return entry;
      }
    }
  }

  /** Takes nacked entries, and what waits behind them, to be tried on a new channel. */
  takeNacked(now: number): OutboxEntry[] {
    return this.#lanes.take(now, this.limits.window);
  }

  /** The try of nacked entries has ended. */
  triedNacked(now: number): void {
    this.putBack(this.#lanes.tried(now));
  }

  /** The entry has its outcome and is gone from here, wherever it was. */
  settled(entry: OutboxEntry): void {
    entry.place.leave();
    this.#messages -= 1;
    this.#bytes -= entry.size;
    if (this.#suspects.delete(entry) && this.#suspects.size === 0)
      this.#window = this.limits.window;
  }

  /**
   * The broker nacked it: it is not stored, and to be tried again out of line.
   *
   * @returns false when it was tried as often as it may
   */
  nacked(entry: OutboxEntry, now: number): boolean {
    entry.nacks += 1;
    if (!entry.mayRetry || entry.nacks > this.limits.nackRetries) return false;
    this.#lanes.nacked(entry, now);
    return true;
  }

  /**
   * The channel is gone, and with it the answers for `entries`, in the order in which they were sent. Those that may be sent
   * again go back to the head of the line, marked.
   *
   * @param killed a publish closed the channel: the window is halved until one is alone when the channel closes: the offender
   * @returns a verdict for each that is not sent again
   */
  lost(entries: readonly OutboxEntry[], killed: boolean): Map<OutboxEntry, Verdict> {
    const verdicts = new Map<OutboxEntry, Verdict>();
    const live = entries.filter((entry) => !entry.settled);
    const [only] = live;
    if (killed && live.length === 1 && only !== undefined) return new Map([[only, 'refused']]);
    for (const entry of live) {
      if (entry.mayRetry) entry.mark();
      else verdicts.set(entry, 'unknown');
    }
    const again = live.filter((entry) => !verdicts.has(entry));
    if (killed) this.#search(live);
    this.putBack(again);
    return verdicts;
  }

  /** Puts entries at the head of the line, in order. */
  putBack(entries: readonly OutboxEntry[]): void {
    // Several channels may give entries back at the same time: the line is by age all the same.
    for (const entry of entries.toReversed()) {
      this.#again.insert(entry.place, (other) => other.number < entry.number);
    }
  }

  /** On a new connection everything is tried in line again: what nacked it may be gone. */
  releaseNacked(): void {
    this.putBack(this.#lanes.releaseAll());
  }

  #search(entries: readonly OutboxEntry[]): void {
    for (const entry of entries) this.#suspects.add(entry);
    this.#window = Math.max(1, Math.floor(entries.length / 2));
  }

  /** All that is not in flight. */
  *entries(): Iterable<OutboxEntry> {
    yield* this.#again;
    yield* this.#waiting;
    yield* this.#lanes.entries();
  }
}
