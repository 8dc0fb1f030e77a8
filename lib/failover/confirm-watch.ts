import { confirmsMissing } from '../publish.messages.js';
import type { Clock } from '../policy/clock.js';
import type { PublishChannel } from './publish-channel.js';

/** Whose channels are watched. */
export interface ConfirmWatchOwner {
  /** Those on which something may be unconfirmed. */
  channels(): readonly PublishChannel[];
  /** A channel has been without any confirm for too long, and is to be given up. */
  silent(channel: PublishChannel, error: Error): void;
}

/**
 * Notices a broker that neither confirms nor nacks: a channel on which something is unconfirmed, and on which nothing was
 * answered for the confirm timeout, is given up; the second time in a row, its connection. One timer for all.
 */
export class ConfirmWatch {
  #cancel: (() => void) | undefined;
  #silences = 0;

  constructor(
    private readonly clock: Clock,
    private readonly timeout: number,
    private readonly owner: ConfirmWatchOwner,
  ) {}

  /** To be called when something is sent. */
  start(): void {
    this.#cancel ??= this.#schedule(this.timeout);
  }

  /** The broker has answered. */
  answered(): void {
    this.#silences = 0;
  }

  /** The broker takes publishes again: from now on answers are due. */
  unblocked(): void {
    for (const channel of this.owner.channels()) channel.excuse();
  }

  /** A channel has ended: unless an answer is due on another one, no timer is left to hold up the end of the process. */
  rest(): void {
    if (this.owner.channels().every(({ unconfirmed }) => unconfirmed === 0)) this.stop();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #schedule(delay: number): () => void {
    return this.clock.schedule(delay, () => {
      this.#cancel = undefined;
      this.#check();
    });
  }

  #check(): void {
    const now = this.clock.now();
    const watched = this.owner.channels().filter(({ unconfirmed }) => unconfirmed > 0);
    // A broker that takes nothing in cannot be expected to answer.
    for (const channel of watched)
      if (channel.link.connection.blocked !== undefined) channel.excuse();
    const silent = watched.filter(({ progressAt }) => now - progressAt >= this.timeout);
    if (silent.length > 0) this.#giveUp(silent);
    const waiting = this.owner.channels().filter(({ unconfirmed }) => unconfirmed > 0);
    if (waiting.length === 0) return;
    const oldest = Math.min(...waiting.map(({ progressAt }) => progressAt));
    this.#cancel ??= this.#schedule(oldest + this.timeout - now);
  }

  #giveUp(silent: readonly PublishChannel[]): void {
    this.#silences += 1;
    const giveUpConnection = this.#silences > 1;
    if (giveUpConnection) this.#silences = 0;
    for (const channel of silent) {
      const error = new Error(confirmsMissing(this.timeout, channel.link.broker));
      this.owner.silent(channel, error);
      if (giveUpConnection) channel.link.connection.destroy(error);
    }
  }
}
