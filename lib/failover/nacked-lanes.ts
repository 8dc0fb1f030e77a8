import type { BackoffPolicy } from '../policy/backoff.js';
import { backoff } from '../policy/backoff.js';
import { LinkedList } from './linked-list.js';
import type { OutboxEntry } from './outbox-entry.js';

/** Entries of one exchange and routing key that wait for their turn out of line. Both lists are by age. */
interface Lane {
  readonly key: string;
  readonly nacked: LinkedList<OutboxEntry>;
  readonly held: LinkedList<OutboxEntry>;
  /** Failed tries in a row. */
  tries: number;
  /** A reading of the clock. */
  due: number;
  /** How the try that is under way goes: `nacked` once one of it was nacked again. */
  trying: 'no' | 'well' | 'nacked';
}

/** What a try of nacked entries has come to. */
export interface TriedLanes {
  /** What may go back in line. */
  readonly free: readonly OutboxEntry[];
  /** A lane took everything: what had nacked it before is mended, or was the channel it was sent on. */
  readonly healed: boolean;
}

const keyOf = ({ message }: OutboxEntry): string => `${message.exchange}\0${message.routingKey}`;

/**
 * What the broker nacked, and what has to wait behind it. A nacked entry steps out of line and holds back only entries of
 * its own exchange and routing key: one full queue with `reject-publish` is a steady state that must not stall the others.
 */
export class NackedLanes {
  readonly #lanes = new Map<string, Lane>();
  #trying: Lane[] = [];
  #nextDue: number | undefined;

  constructor(private readonly policy: BackoffPolicy) {}

  /** Takes an entry that comes after a nacked one of its lane. @returns false if there is none */
  hold(entry: OutboxEntry): boolean {
    const lane = this.#lanes.size === 0 ? undefined : this.#lanes.get(keyOf(entry));
    if (lane === undefined) return false;
    // Not simply the last: one that was lost comes after what is held already, and is older.
    lane.held.insert(entry.place, (other) => other.number < entry.number);
    return true;
  }

  /** Takes an entry that the broker has nacked; `tried` if it was taken from here to be tried again. */
  nacked(entry: OutboxEntry, now: number, tried: boolean): void {
    const lane = this.#laneFor(keyOf(entry), now);
    if (tried && lane.trying === 'well') lane.trying = 'nacked';
    lane.nacked.insert(entry.place, (other) => other.number < entry.number);
  }

  #laneFor(key: string, now: number): Lane {
    const lane = this.#lanes.get(key);
    if (lane !== undefined) return lane;
    const due = now + backoff(this.policy, 0);
    const nacked = new LinkedList<OutboxEntry>();
    const held = new LinkedList<OutboxEntry>();
    const opened: Lane = { key, nacked, held, tries: 0, due, trying: 'no' };
    this.#lanes.set(key, opened);
    this.#expect(due);
    return opened;
  }

  /** When the next lane is due; undefined when none waits. */
  get nextDue(): number | undefined {
    return this.#nextDue;
  }

  /**
   * Takes up to `limit` entries of the lanes that are due, an equal share of each, to be tried on a new channel. Their lanes
   * go on holding back.
   */
  take(now: number, limit: number): OutboxEntry[] {
    const trying: Lane[] = [];
    for (const lane of this.#lanes.values()) {
      if (lane.trying !== 'no' || lane.due > now) continue;
      if (lane.nacked.size + lane.held.size === 0) this.#lanes.delete(lane.key);
      else if (trying.length < limit) trying.push(lane);
    }
    const share = Math.floor(limit / Math.max(1, trying.length));
    const taken = trying.flatMap((lane) => {
      lane.trying = 'well';
      return firstOf(lane, share);
    });
    this.#trying.push(...trying);
    this.#reckon();
    for (const entry of taken) entry.place.leave();
    return taken;
  }

  /** A try has ended: what was taken is confirmed, nacked again (and back here), or lost (and back in line). */
  tried(now: number): TriedLanes {
    const free: OutboxEntry[] = [];
    let healed = false;
    for (const lane of this.#trying) {
      if (this.#lanes.get(lane.key) !== lane) continue;
      // Last in turn, so that each gets its own when there are more than can be tried at once.
      this.#lanes.delete(lane.key);
      if (lane.trying === 'well' && lane.nacked.size === 0) {
        healed = true;
        free.push(...lane.held);
        continue;
      }
      lane.tries = lane.trying === 'well' ? 0 : lane.tries + 1;
      lane.due = lane.trying === 'well' ? now : now + backoff(this.policy, lane.tries);
      lane.trying = 'no';
      this.#lanes.set(lane.key, lane);
    }
    this.#trying = [];
    this.#reckon();
    for (const entry of free) entry.place.leave();
    return { free, healed };
  }

  /** Gives up all lanes, and gives back their entries. For a new connection, on which everything is tried in line again. */
  releaseAll(): OutboxEntry[] {
    const released = [...this.entries()];
    for (const entry of released) entry.place.leave();
    this.#lanes.clear();
    this.#reckon();
    return released;
  }

  *entries(): Iterable<OutboxEntry> {
    for (const lane of this.#lanes.values()) yield* entriesOf(lane);
  }

  #expect(due: number): void {
    if (this.#nextDue === undefined || due < this.#nextDue) this.#nextDue = due;
  }

  #reckon(): void {
    this.#nextDue = undefined;
    for (const { due, trying } of this.#lanes.values()) if (trying === 'no') this.#expect(due);
  }
}

function* entriesOf({ nacked, held }: Lane): Iterable<OutboxEntry> {
  yield* nacked;
  yield* held;
}

function firstOf(lane: Lane, count: number): OutboxEntry[] {
  const first: OutboxEntry[] = [];
  for (const entry of entriesOf(lane)) {
    if (first.length >= count) break;
    first.push(entry);
  }
  return first;
}
