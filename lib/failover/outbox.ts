import type { BackoffPolicy } from '../policy/backoff.js';
import type { KillReason } from './kill-record.js';
import { KillRecord } from './kill-record.js';
import { LinkedList } from './linked-list.js';
import { NackedLanes } from './nacked-lanes.js';
import type { OutboxEntry } from './outbox-entry.js';
import { SendWindow } from './send-window.js';

/** How much an outbox may hold, and how much of it may be unconfirmed at once. */
export interface OutboxLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** `wait`: as many again may wait for room. In line with the others, so all it does is double the bounds. */
  readonly whenFull: 'wait' | 'reject';
  readonly window: number;
  readonly nackRetries: number;
  readonly nackBackoff: BackoffPolicy;
}

/** What became of an entry that was lost with its channel and is not sent again. */
export type Verdict = 'unknown' | 'refused';

/**
 * How a channel has ended. `killed`: a publish on it made the broker close it. `killed-connection`: the broker closed the whole
 * connection with a code that blames its client, which may have been a publish on it, or not.
 */
export type ChannelEnd = 'lost' | 'killed' | 'killed-connection';

const byAge = (one: OutboxEntry, other: OutboxEntry): number => one.number - other.number;

const older = (one: OutboxEntry, other: OutboxEntry): boolean => byAge(one, other) < 0;

/**
 * The line of publishes of one producer: what waits, what goes next, and what happens to that which was not confirmed. Pure:
 * it knows no channel, no timer and no promise. What happens to one entry takes constant time; what happens to many at once
 * (a loss, a try of nacked ones) takes as long as they and those in line are many.
 */
export class Outbox {
  /** Sent before, and to be sent again before anything newer. */
  readonly #again = new LinkedList<OutboxEntry>();
  readonly #waiting = new LinkedList<OutboxEntry>();
  readonly #lanes: NackedLanes;
  #messages = 0;
  #bytes = 0;
  readonly #window: SendWindow;
  readonly #kills = new KillRecord();

  constructor(private readonly limits: OutboxLimits) {
    this.#lanes = new NackedLanes(limits.nackBackoff);
    this.#window = new SendWindow(limits.window);
  }

  get messages(): number {
    return this.#messages;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The most that may be unconfirmed at once. */
  get window(): number {
    return this.#window.size;
  }

  get nextLaneDue(): number | undefined {
    return this.#lanes.nextDue;
  }

  /** @returns whether there is room for one more of this size; an empty outbox takes any */
  hasRoom(size: number): boolean {
    const { maxMessages, maxBytes, whenFull } = this.limits;
    const times = whenFull === 'wait' ? 2 : 1;
    return (
      this.#messages < maxMessages * times &&
      (this.#messages === 0 || this.#bytes + size <= maxBytes * times)
    );
  }

  add(entry: OutboxEntry): void {
    this.#messages += 1;
    this.#bytes += entry.size;
    this.#waiting.append(entry.place);
  }

  /** Takes the next one to send, if fewer than `window` are unconfirmed. What has to wait behind a nacked one steps aside. */
  take(unconfirmed: number): OutboxEntry | undefined {
    if (unconfirmed >= this.#window.size) return undefined;
    for (;;) {
      const entry = this.#again.first ?? this.#waiting.first;
      if (entry === undefined) return undefined;
      if (!this.#lanes.hold(entry)) {
        entry.place.leave();
        return entry;
      }
    }
  }

  /** Takes nacked entries, to be tried on a new channel. */
  takeNacked(now: number): OutboxEntry[] {
    return this.#lanes.take(now, this.#window.size);
  }

  /** The try of nacked entries has ended. @returns whether it mended something */
  triedNacked(now: number): boolean {
    const { free, healed } = this.#lanes.tried(now);
    this.putBack(free);
    return healed;
  }

  /** The broker has confirmed or nacked the last attempt of this entry, which may have been settled before. */
  answered(entry: OutboxEntry): void {
    this.#kills.answered(entry.message.exchange);
  }

  /** The entry has its outcome and is gone from here, wherever it was. */
  settled(entry: OutboxEntry): void {
    entry.place.leave();
    this.#messages -= 1;
    this.#bytes -= entry.size;
    this.#window.clear(entry);
  }

  /**
   * The broker nacked it: it is not stored, and to be tried again out of line.
   *
   * @param tried it was sent as one that had been nacked before, on a channel opened for that
   * @returns false when it was tried as often as it may
   */
  nacked(entry: OutboxEntry, now: number, tried: boolean): boolean {
    entry.nacks += 1;
    this.#window.clear(entry);
    if (!entry.mayRetry || entry.nacks > this.limits.nackRetries) return false;
    this.#lanes.nacked(entry, now, tried);
    return true;
  }

  /**
   * The channel is gone, and with it the answers for `entries`. Those that may be sent again go back to the head of the line,
   * marked. Settled ones may be among them: they were on the wire as well.
   *
   * After a kill the window is halved until one is alone when that happens: the offender. Anyone else on a connection may
   * have ended it, so there it takes two times alone.
   *
   * @returns a verdict for each that is not sent again
   */
  lost(
    entries: readonly OutboxEntry[],
    end: ChannelEnd,
    reason: KillReason,
  ): Map<OutboxEntry, Verdict> {
    const verdicts = new Map<OutboxEntry, Verdict>();
    const again: OutboxEntry[] = [];
    const alone = entries.length === 1;
    if (end === 'killed') this.#kills.killed(entries, reason);
    for (const entry of entries) {
      if (entry.settled) continue;
      if (end !== 'killed') entry.maybeStored = true;
      if (alone && end === 'killed-connection') entry.endedAlone += 1;
      const offender = (alone && end === 'killed') || entry.endedAlone > 1;
      if (offender) verdicts.set(entry, entry.maybeStored ? 'unknown' : 'refused');
      else if (entry.mayRetry) {
        entry.mark();
        again.push(entry);
      } else verdicts.set(entry, 'unknown');
    }
    if (end !== 'lost') this.#window.narrow(again);
    this.putBack(again);
    return verdicts;
  }

  /** Puts entries where they belong at the head of the line. */
  putBack(entries: readonly OutboxEntry[]): void {
    // What waited in a lane may have been sent after younger ones, or come there after them, and two channels may end at once.
    this.#again.merge(
      entries.toSorted(byAge).map(({ place }) => place),
      older,
    );
  }

  /** On a new connection everything is tried in line again: what nacked it may be gone. */
  releaseNacked(): void {
    this.putBack(this.#lanes.releaseAll());
  }

  /** All that is not in flight. */
  *entries(): Iterable<OutboxEntry> {
    yield* this.#again;
    yield* this.#waiting;
    yield* this.#lanes.entries();
  }
}
