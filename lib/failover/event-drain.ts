import { drainTimedOut } from '../consumer.messages.js';
import { TimeoutError, isTimeoutError } from '../errors.js';
import type { ConnectionParts } from './connection-parts.js';
import type { Link } from './link.js';
import type { PatienceOptions } from './patience.js';
import { Patience } from './patience.js';

/** One that consumes for `drainEvents`, and may have come to an end that nobody was told of yet. */
export interface Drained {
  /** Why it consumes no longer; undefined while it does. */
  readonly ended: Error | undefined;
  /** Sees to it that it consumes on the connection that is the current one. */
  revive(): Promise<void>;
}

/** Something that has come for a consumer: it runs in the call of `drainEvents` that takes it. */
interface DrainedEvent {
  readonly owner: object;
  readonly run: () => Promise<void>;
}

/** What has come for the consumers of one connection, and waits to be drained. */
export class EventDrain {
  /** In the order in which they came; no more than the prefetches of the consumers together. */
  #events: DrainedEvent[] = [];
  readonly #consumers = new Set<Drained>();
  readonly #waiting = new Set<() => void>();
  #watched: Link | undefined;

  constructor(private readonly parts: ConnectionParts & { readonly ended: AbortSignal }) {}

  join(consumer: Drained): void {
    this.#consumers.add(consumer);
  }

  leave(consumer: Drained): void {
    this.#consumers.delete(consumer);
  }

  push(owner: object, run: () => Promise<void>): void {
    this.#events.push({ owner, run });
    this.look();
  }

  /** Forgets what has come on a channel that has ended: the broker delivers it again. */
  drop(owner: object): void {
    this.#events = this.#events.filter((one) => one.owner !== owner);
    this.look();
  }

  /** Has those who wait look anew. */
  look(): void {
    for (const look of this.#waiting) look();
  }

  /** Has every consumer consume again that does not. */
  async revive(): Promise<void> {
    for (const consumer of this.#consumers) {
      if (consumer.ended !== undefined) await consumer.revive();
    }
  }

  /**
   * Runs the next event.
   *
   * @throws TimeoutError when none comes in time
   * @throws AmqpError when a consumer has ended, or the connection is lost meanwhile
   * @throws ConnectionClosedError
   * @throws the reason of a signal that has aborted, however much has come
   */
  async next(patience: PatienceOptions): Promise<void> {
    patience.signal?.throwIfAborted();
    const event = this.#take() ?? (await this.#waitFor(patience));
    await event.run();
  }

  /** The same for one to whom it is no error that none comes in time. @returns whether there was one */
  async nextWithin(timeout: number, signal: AbortSignal): Promise<boolean> {
    let event: DrainedEvent;
    try {
      event = this.#take() ?? (await this.#waitFor({ timeout, signal }));
    } catch (error) {
      if (isTimeoutError(error) || (signal.aborted && error === signal.reason)) return false;
      throw error;
    }
    await event.run();
    return true;
  }

  async #waitFor({ timeout, signal }: PatienceOptions): Promise<DrainedEvent> {
    const { clock, loop } = this.parts;
    const patience = new Patience(
      clock,
      { timeout, signal },
      () => new TimeoutError(drainTimedOut(timeout ?? 0)),
    );
    try {
      let link = loop.link;
      for (;;) {
        const event = this.#take();
        if (event !== undefined) return event;
        if (link?.connection.loss !== undefined) throw link.connection.loss;
        patience.check();
        link ??= await loop.wait({ signal: patience.signal });
        await this.#woken(link, patience.signal);
      }
    } finally {
      patience[Symbol.dispose]();
    }
  }

  /** @throws why a consumer, or the connection, has ended */
  #take(): DrainedEvent | undefined {
    this.parts.ended.throwIfAborted();
    this.#assertConsuming();
    return this.#events.shift();
  }

  /** @throws why a consumer has ended */
  #assertConsuming(): void {
    for (const { ended } of this.#consumers) if (ended !== undefined) throw ended;
  }

  /** Resolves when there is something to look at, or the patience has ended. */
  #woken(link: Link, signal: AbortSignal): Promise<void> {
    if (this.#watched !== link) {
      this.#watched = link;
      link.connection.onEnd(() => this.look());
    }
    return new Promise((resolve) => {
      const look = (): void => {
        this.#waiting.delete(look);
        signal.removeEventListener('abort', look);
        resolve();
      };
      this.#waiting.add(look);
      signal.addEventListener('abort', look, { once: true });
      // It may have come, or ended, since we looked.
      if (this.#events.length > 0 || !link.live || signal.aborted) look();
    });
  }
}
