import type { OutboxEntry } from './outbox-entry.js';

/** What the broker said when it closed a channel over a publish. */
export interface KillReason {
  readonly code?: number | undefined;
  readonly message: string;
}

/** 406 is about the message itself: what would be closed over with the same words has not been stored. */
const PRECONDITION_FAILED = 406;

/** More names than a program uses, unless it makes them up as it goes. */
const MAX_NAMES = 10_000;

/** As RabbitMQ names an exchange in a reply; the default one by what its permission is set for. */
const inWords = (exchange: string): string => `'${exchange === '' ? 'amq.default' : exchange}'`;

/**
 * Who may have been stored when a publish killed its channel. A channel is worked off in order, and only the words of the
 * close tell which publish it was about: what came before that one may be stored, without its confirm, and what came after
 * was ignored. So `refused` can be said of those only that no attempt can have stored.
 */
export class KillRecord {
  /** Exchanges that were seen to exist. The default one always does. */
  readonly #seen = new Set(['']);
  #last = '';

  /** A broker has confirmed or nacked a publish to this exchange. */
  answered(exchange: string): void {
    // Most publishes go where the one before went.
    if (exchange === this.#last) return;
    this.#last = exchange;
    if (this.#seen.size < MAX_NAMES) this.#seen.add(exchange);
  }

  /** A publish among `entries` has killed their channel; they are in the order in which they were sent, settled ones too. */
  killed(entries: readonly OutboxEntry[], reason: KillReason): void {
    const younger = new Set<string>();
    for (const entry of entries.toReversed()) {
      const { exchange } = entry.message;
      // The offender itself, or one that the broker had not come to: if it should be the reason for itself, by the words.
      const spared =
        entries.length === 1 ||
        reason.code === PRECONDITION_FAILED ||
        (reason.message.includes(inWords(exchange)) &&
          !(this.#wasThere(exchange) && younger.has(exchange)));
      entry.killed(reason.message, spared);
      younger.add(exchange);
    }
  }

  #wasThere(exchange: string): boolean {
    return this.#seen.has(exchange) || this.#seen.size >= MAX_NAMES;
  }
}
