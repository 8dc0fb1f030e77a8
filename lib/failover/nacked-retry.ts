import type { ConnectionParts } from './connection-parts.js';
import type { Outbox } from './outbox.js';
import type { OutboxEntry } from './outbox-entry.js';
import type { PublishChannelEvents } from './publish-channel.js';
import { PublishChannel } from './publish-channel.js';

/** What a try of nacked entries needs of its loop. */
export interface NackedRetryOwner extends PublishChannelEvents {
  send(entry: OutboxEntry, on: PublishChannel): void;
  pump(): void;
  wearOut(): void;
}

/**
 * Tries what the broker nacked once more, after a backoff, on a channel that is opened for it: a channel whose first publish
 * to a quorum queue falls between a node's death and the election can stay nacked for good (RabbitMQ before 3.12), while a
 * new one works at once.
 */
export class NackedRetry {
  #channel: PublishChannel | undefined;
  #trying = false;
  #confirmed = 0;
  #cancel: (() => void) | undefined;

  constructor(
    private readonly parts: ConnectionParts,
    private readonly outbox: Outbox,
    private readonly owner: NackedRetryOwner,
  ) {}

  get channel(): PublishChannel | undefined {
    return this.#channel;
  }

  /** Sets the timer for the lane that is due next; to be called when there is something nacked. */
  arm(): void {
    const due = this.outbox.nextLaneDue;
    if (due === undefined || this.#trying || this.#cancel !== undefined) return;
    const { clock } = this.parts;
    this.#cancel = clock.schedule(Math.max(0, due - clock.now()), () => {
      this.#cancel = undefined;
      void this.#try();
    });
  }

  /** An answer came on a channel of ours: when it was the last, the try has ended. */
  room(on: PublishChannel): void {
    if (on !== this.#channel || on.unconfirmed > 0) return;
    void on.close();
    // Nothing else could have healed it: what an old channel has nacked, this one was given and got confirmed.
    const healed = this.#confirmed > 0;
    this.#ended();
    if (healed) this.owner.wearOut();
  }

  confirmed(on: PublishChannel): void {
    if (on === this.#channel) this.#confirmed += 1;
  }

  /** The channel is gone, and what was unconfirmed on it is back in line. */
  closed(on: PublishChannel): void {
    if (on === this.#channel) this.#ended();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#channel = undefined;
  }

  async #try(): Promise<void> {
    const { loop, clock } = this.parts;
    const { link } = loop;
    // Without a connection there is nothing to try: the next link takes all back in line.
    if (link === undefined || this.#trying) return;
    this.#trying = true;
    this.#confirmed = 0;
    try {
      const channel = await link.connection.openConfirmChannel();
      this.#channel = new PublishChannel(link, channel, clock, this.owner);
    } catch {
      this.#ended();
      return;
    }
    const channel = this.#channel;
    for (const entry of this.outbox.takeNacked(clock.now())) this.owner.send(entry, channel);
    if (channel.unconfirmed === 0) this.room(channel);
  }

  #ended(): void {
    this.#channel = undefined;
    this.#trying = false;
    this.outbox.triedNacked(this.parts.clock.now());
    this.arm();
    this.owner.pump();
  }
}
