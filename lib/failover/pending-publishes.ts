import type { PublishOutcome } from '../errors.js';
import { PublishError, UnroutableError } from '../errors.js';
import {
  nackedBy,
  notConfirmed,
  publishAborted,
  publishTimedOut,
  returnedAfterLoss,
  unroutable,
} from '../publish.messages.js';
import type { Clock } from '../policy/clock.js';
import { Deadlines } from './deadlines.js';
import type { ListenerErrorHandler } from './listeners.js';
import { guarded } from './listeners.js';
import type { ChannelEnd, Outbox } from './outbox.js';
import type { OutboxEntry } from './outbox-entry.js';
import type { ReturnReply } from './publish-channel.js';
import { PublishSignals } from './publish-signals.js';

/** What pending publishes need around them. */
export interface PendingPublishesParts {
  readonly clock: Clock;
  readonly onErrbackError: ListenerErrorHandler;
  /** Everything has settled. */
  readonly emptied: () => void;
}

type Loss = Error & { readonly code?: number | undefined };

/** The publishes of a producer that have no outcome yet: their deadlines, their signals, and how each of them settles, once. */
export class PendingPublishes {
  readonly #deadlines: Deadlines;
  readonly #signals: PublishSignals;

  constructor(
    private readonly outbox: Outbox,
    private readonly parts: PendingPublishesParts,
  ) {
    this.#deadlines = new Deadlines(parts.clock, (entry) =>
      this.end([entry], publishTimedOut(entry.policy.timeout)),
    );
    this.#signals = new PublishSignals((entry, cause) =>
      this.end([entry], publishAborted(), { cause }),
    );
  }

  add(entry: OutboxEntry): void {
    this.outbox.add(entry);
    this.#deadlines.add(entry);
    this.#signals.add(entry);
  }

  confirmed(entry: OutboxEntry, broker: string): void {
    if (entry.settled) return;
    this.#settle(entry);
    const { attempts, suspect, message } = entry;
    entry.resolve({ messageId: message.messageId, broker, attempts, redeliverySuspect: suspect });
  }

  returned(entry: OutboxEntry, reply: ReturnReply): void {
    if (entry.settled) return;
    const { messageId, exchange, routingKey } = entry.message;
    const message = unroutable(messageId, exchange, routingKey, reply.text);
    if (entry.suspect) {
      // No queue took it this time; one may have taken it before, and be gone.
      this.reject(entry, 'unknown', returnedAfterLoss(message), {}, reply.code);
      return;
    }
    this.#settle(entry);
    entry.reject(new UnroutableError(message, 'returned', messageId, reply.code));
  }

  /** @param tried as in `Outbox.nacked` */
  nacked(entry: OutboxEntry, broker: string, tried: boolean): void {
    if (entry.settled) return;
    const again = this.outbox.nacked(entry, this.parts.clock.now(), tried);
    const why = nackedBy(broker, entry.nacks);
    if (again) this.#tell(entry, new Error(why), broker);
    else this.reject(entry, entry.suspect ? 'unknown' : 'nacked', why);
  }

  /** Their channel is gone. What may be sent again is back in line; the rest ends. */
  lost(entries: readonly OutboxEntry[], end: ChannelEnd, cause: Loss, broker: string): void {
    const verdicts = this.outbox.lost(entries, end, cause);
    for (const entry of entries) {
      if (entry.settled) continue;
      const verdict = verdicts.get(entry);
      if (verdict === undefined) this.#tell(entry, cause, broker);
      else this.reject(entry, verdict, cause.message, { cause }, cause.code);
    }
  }

  reject(
    entry: OutboxEntry,
    outcome: PublishOutcome,
    why: string,
    options?: ErrorOptions,
    code?: number,
  ): void {
    if (entry.settled) return;
    const { messageId } = entry.message;
    this.#settle(entry);
    entry.reject(
      new PublishError(notConfirmed(messageId, outcome, why), outcome, messageId, code, options),
    );
  }

  /** They end here, with what is known of them. */
  end(entries: readonly OutboxEntry[], why: string, options?: ErrorOptions): void {
    for (const entry of entries) {
      // In no list: it is on the wire, without an answer.
      const onTheWire = entry.place.list === undefined;
      this.reject(entry, entry.outcome(onTheWire), why, options);
    }
  }

  #tell(entry: OutboxEntry, error: Error, broker: string): void {
    const { errback } = entry.policy;
    if (errback === undefined) return;
    const event = { error, interval: 0, broker, attempt: entry.attempts };
    // Never inside the call stack of a socket.
    queueMicrotask(() => guarded(() => errback(event), 'errback', this.parts.onErrbackError));
  }

  #settle(entry: OutboxEntry): void {
    entry.settle();
    this.#signals.remove(entry);
    this.#deadlines.remove(entry);
    this.outbox.settled(entry);
    if (this.outbox.messages === 0) this.parts.emptied();
  }
}
