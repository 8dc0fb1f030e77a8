import type { BackoffPolicy } from '../policy/backoff.js';
import { backoff } from '../policy/backoff.js';
import { LinkedList } from './linked-list.js';
import type { OutboxEntry } from './outbox-entry.js';

/** Entries of one exchange and routing key that wait for their turn out of line. */
interface Lane {
  /** By age; all of them older than what is held. */
  readonly nacked: LinkedList<OutboxEntry>;
  readonly held: LinkedList<OutboxEntry>;
  /** Failed tries in a row. */
  tries: number;
  /** A reading of the clock. */
  due: number;
  /** A try is under way. */
  trying: boolean;
}

const keyOf = ({ message }: OutboxEntry): string => `${message.exchange}\0${message.routingKey}`;

/**
 * What the broker nacked, and what has to wait behind it. A nacked entry steps out of line and holds back only entries of
 * its own exchange and routing key: one full queue with `reject-publish` is a steady state that must not stall the others.
 */
export class NackedLanes {
  readonly #lanes = new Map<string, Lane>();

  constructor(private readonly policy: BackoffPolicy) {}

  get size(): number {
    return this.#lanes.size;
  }

  /** Takes an entry that comes after a nacked one of its lane. @returns false if there is none */
  hold(entry: OutboxEntry): boolean {
    const lane = this.#lanes.size === 0 ? undefined : this.#lanes.get(keyOf(entry));
    lane?.held.append(entry.place);
    return lane !== undefined;
  }

  /** Takes an entry that the broker has nacked. */
  nacked(entry: OutboxEntry, now: number): void {
    const key = keyOf(entry);
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      const due = now + backoff(this.policy, 0);
      lane = { nacked: new LinkedList(), held: new LinkedList(), tries: 0, due, trying: false };
      this.#lanes.set(key, lane);
    }
    lane.nacked.insert(entry.place, (other) => other.number < entry.number);
  }

  /** When the next lane is due; undefined when none waits. */
  get nextDue(): number | undefined {
    let next: number | undefined;
    for (const { due, trying } of this.#lanes.values()) {
      if (!trying && (next === undefined || due < next)) next = due;
    }
    return next;
  }

  /** Takes up to `limit` entries of the lanes that are due, to be tried on a new channel. Their lanes go on holding back. */
  take(now: number, limit: number): OutboxEntry[] {
    const taken: OutboxEntry[] = [];
    for (const [key, lane] of this.#lanes) {
      if (lane.trying || lane.due > now) continue;
      if (lane.nacked.size + lane.held.size === 0) {
        this.#lanes.delete(key);
        continue;
      }
      lane.trying = true;
      for (const entry of entriesOf(lane)) {
        if (taken.length >= limit) return taken;
        entry.place.leave();
        taken.push(entry);
      }
    }
    return taken;
  }

  /**
   * A try has ended: what was taken is confirmed, nacked again (and back here), or lost (and back in line).
   *
   * @returns what may go back in line, in order: that of the lanes in which nothing was nacked again
   */
  tried(now: number): OutboxEntry[] {
    const free: OutboxEntry[] = [];
    for (const [key, lane] of this.#lanes) {
      if (!lane.trying) continue;
      lane.trying = false;
      if (lane.nacked.size === 0) {
        this.#lanes.delete(key);
        free.push(...lane.held);
        continue;
      }
      lane.tries += 1;
      lane.due = now + backoff(this.policy, lane.tries);
    }
    for (const entry of free) entry.place.leave();
    return free;
  }

  /** Gives up all lanes: their entries in order. For a new connection, on which everything is tried in line again. */
  releaseAll(): OutboxEntry[] {
    const released = [...this.entries()];
    for (const entry of released) entry.place.leave();
    this.#lanes.clear();
    return released;
  }

  *entries(): Iterable<OutboxEntry> {
    for (const lane of this.#lanes.values()) yield* entriesOf(lane);
  }
}

function* entriesOf({ nacked, held }: Lane): Iterable<OutboxEntry> {
  yield* nacked;
  yield* held;
}
