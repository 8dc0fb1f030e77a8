import type { PublishProperties } from '../amqp/channel.js';
import type { PublishOutcome } from '../errors.js';
import type { ErrbackEvent } from './ensure-options.js';
import { ListNode } from './linked-list.js';

/** What a confirmed publish resolves to. */
export interface PublishReceipt {
  /** The same in every attempt; consumers can tell duplicates by it. */
  readonly messageId: string;
  /** The broker that confirmed it; its address with the password masked. */
  readonly broker: string;
  /** How often it was sent. */
  readonly attempts: number;
  /** An earlier attempt was lost before its confirm, so that the message may be in a queue twice. */
  readonly redeliverySuspect: boolean;
}

/** What is to be published, encoded once. */
export interface OutgoingMessage {
  readonly messageId: string;
  readonly exchange: string;
  readonly routingKey: string;
  content: Buffer;
  readonly properties: PublishProperties & { headers: Record<string, unknown> | undefined };
  /** The bytes of the properties at most, in the one frame they have to fit into. */
  readonly propertiesSize: number;
}

/** How long and how often it is tried. Durations are milliseconds. */
export interface PublishPolicy {
  readonly timeout: number;
  /** The most re-sends; undefined is without limit. */
  readonly maxRetries: number | undefined;
  /** Whether it may be sent again when it may have been stored. */
  readonly republish: boolean;
  /** Whether it waits for a connection while there is none. */
  readonly waits: boolean;
  readonly errback: ((event: ErrbackEvent) => unknown) | undefined;
}

/** Says of a message that it was sent before, and may have been stored then. */
export const REPUBLISHED_HEADER = 'x-republished';

// What an entry takes beside its bytes; what counts is that many small messages are not free.
const OVERHEAD = 512;

const NOTHING = Buffer.alloc(0);

/** One publish on its way. It settles once. */
export class OutboxEntry {
  /** Its place in the line, or out of line. */
  readonly place = new ListNode<OutboxEntry>(this);
  /** Its place among those with the same timeout. */
  readonly due = new ListNode<OutboxEntry>(this);
  readonly size: number;
  attempts = 0;
  /** When the last attempt was sent. A reading of the clock. */
  sentAt = 0;
  /** How often the broker has nacked it. */
  nacks = 0;
  /** It was sent and neither confirmed nor nacked: it may be stored. */
  suspect = false;
  /** A queue may hold it from an attempt that had no answer: what becomes of the next one says nothing of that. */
  maybeStored = false;
  /** How often it was alone on its connection when the broker ended that. */
  endedAlone = 0;
  /** What the broker said when the channel of its last attempt was killed. */
  #killedBy: string | undefined;
  /** A return on its channel was taken for it. */
  returned = false;
  #settled = false;
  /** Ends it when aborted. */
  signal: AbortSignal | undefined;

  constructor(
    /** Its place in the order of all publishes of its producer. */
    readonly number: number,
    readonly message: OutgoingMessage,
    readonly policy: PublishPolicy,
    readonly deadline: number,
    readonly resolve: (receipt: PublishReceipt) => void,
    readonly reject: (error: Error) => void,
  ) {
    this.size = message.content.length + message.propertiesSize + OVERHEAD;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** It has its outcome. It may stay on the wire for as long as the broker likes, so it lets go of what is large. */
  settle(): void {
    this.#settled = true;
    this.message.content = NOTHING;
    this.message.properties.headers = undefined;
  }

  /** What is known of it, should it not be confirmed any more. `inFlight`: the last attempt has had no answer. */
  outcome(inFlight: boolean): PublishOutcome {
    if (inFlight || this.suspect) return 'unknown';
    return this.nacks > 0 ? 'nacked' : 'not-sent';
  }

  /** Sent before without an answer, so that a queue may get it twice. */
  mark(): void {
    this.suspect = true;
    const { properties } = this.message;
    properties.headers ??= {};
    properties.headers[REPUBLISHED_HEADER] = true;
  }

  /**
   * A publish has killed its channel. `spared`: it is not stored if the broker says the same when it is alone.
   */
  killed(words: string, spared: boolean): void {
    if (!spared || (this.#killedBy ?? words) !== words) this.maybeStored = true;
    this.#killedBy = words;
  }

  /** Whether it may be sent once more, by what its caller allowed. */
  get mayRetry(): boolean {
    const { maxRetries, republish } = this.policy;
    return republish && (maxRetries === undefined || this.attempts <= maxRetries);
  }
}
