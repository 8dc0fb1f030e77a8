import type { BackoffPolicy } from '../policy/backoff.js';
import { backoff } from '../policy/backoff.js';
import { LinkedList } from './linked-list.js';
import type { OutboxEntry } from './outbox-entry.js';

/** Entries of one exchange and routing key that wait for their turn out of line. */
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
    lane?.held.append(entry.place);
    return lane !== undefined;
  }

  /** Takes an entry that the broker has nacked; `tried` if it was taken from here to be tried again. */
  nacked(entry: OutboxEntry, now: number, tried: boolean): void {
    const lane = this.#laneFor(keyOf(entry), now);
    if (tried && lane.trying === 'well') lane.trying = 'nacked';
    lane.nacked.append(entry.place);
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
   * Takes up to `limit` nacked entries of the lanes that are due, an equal share of each, to be tried on a new channel. What
   * is held back stays so, since older ones of its lane may still be without an answer on the old channel.
   */
  take(now: number, limit: number): OutboxEntry[] {
    const trying: Lane[] = [];
    for (const lane of this.#lanes.values()) {
      if (trying.length < limit && lane.trying === 'no' && lane.due <= now) trying.push(lane);
    }
    const share = Math.floor(limit / Math.max(1, trying.length));
    const taken: OutboxEntry[] = [];
    for (const lane of trying) {
      lane.trying = 'well';
      for (let n = 0; n < share && lane.nacked.first !== undefined; n += 1) {
        taken.push(lane.nacked.first);
        lane.nacked.first.place.leave();
      }
    }
    this.#trying.push(...trying);
    this.#reckon();
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
        this.#free(lane, free);
        continue;
      }
      lane.tries = lane.trying === 'well' ? 0 : lane.tries + 1;
      lane.due = lane.trying === 'well' ? now : now + backoff(this.policy, lane.tries);
      lane.trying = 'no';
      this.#lanes.set(lane.key, lane);
    }
    this.#trying = [];
    this.#reckon();
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
    for (const { nacked, held } of this.#lanes.values()) {
      yield* nacked;
      yield* held;
    }
  }

  #free(lane: Lane, free: OutboxEntry[]): void {
    this.#lanes.delete(lane.key);
    for (const entry of lane.held) {
      entry.place.leave();
      free.push(entry);
    }
  }

  #expect(due: number): void {
    if (this.#nextDue === undefined || due < this.#nextDue) this.#nextDue = due;
  }

  #reckon(): void {
    this.#nextDue = undefined;
    for (const { due, trying } of this.#lanes.values()) if (trying === 'no') this.#expect(due);
  }
}
