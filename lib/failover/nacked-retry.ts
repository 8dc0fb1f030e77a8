import { interval } from '../policy/interval.js';
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
  /** When the timer fires. A reading of the clock. */
  #armedFor = Number.POSITIVE_INFINITY;
  /** After a try that had no channel. A reading of the clock. */
  #notBefore = 0;
  #failures = 0;
  #stopped = false;

  constructor(
    private readonly parts: ConnectionParts,
    private readonly outbox: Outbox,
    private readonly owner: NackedRetryOwner,
  ) {}

  get channel(): PublishChannel | undefined {
    return this.#channel;
  }

  /** Sets the timer for the lane that is due next; to be called when something was nacked, or the broker takes publishes again. */
  arm(): void {
    const due = this.outbox.nextLaneDue;
    if (this.#trying || this.#stopped || due === undefined || due >= this.#armedFor) return;
    const { clock } = this.parts;
    this.#cancel?.();
    this.#armedFor = Math.max(due, this.#notBefore);
    this.#cancel = clock.schedule(Math.max(0, this.#armedFor - clock.now()), () => {
      this.#disarm();
      void this.#try();
    });
  }

  /** An answer came on a channel of ours: when it was the last, the try has ended. */
  room(on: PublishChannel): void {
    if (on !== this.#channel || on.unconfirmed > 0) return;
    void on.close();
    this.#ended();
  }

  confirmed(on: PublishChannel): void {
    if (on === this.#channel) this.#confirmed += 1;
  }

  /** The channel is gone, and what was unconfirmed on it is back in line. */
  closed(on: PublishChannel): void {
    if (on === this.#channel) this.#ended();
  }

  /** Nothing is to be tried any more. */
  rest(): void {
    this.#disarm();
    this.outbox.releaseNacked();
  }

  stop(): void {
    this.#stopped = true;
    this.#disarm();
    this.#channel = undefined;
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  async #try(): Promise<void> {
    const { loop, clock } = this.parts;
    const { link } = loop;
    // Without a connection there is nothing to try: the next link takes all back in line. A blocked one arms us again.
    if (link === undefined || link.connection.blocked !== undefined) return;
    this.#trying = true;
    this.#confirmed = 0;
    const opened = await link.connection.openConfirmChannel().catch(() => undefined);
    if (opened === undefined || this.#stopped) {
      void opened?.close();
      this.#backOff();
      this.#ended();
      return;
    }
    const channel = new PublishChannel(link, opened, clock, this.owner);
    this.#channel = channel;
    const { isOpen } = channel;
    if (isOpen) this.#failures = 0;
    else this.#backOff();
    // Blocked meanwhile: we stop writing, and try again when it is not.
    const taken = isOpen ? this.outbox.takeNacked(clock.now()) : [];
    for (const entry of taken) this.owner.send(entry, channel);
    this.room(channel);
  }

  #backOff(): void {
    const { clock, options, random } = this.parts;
    this.#notBefore = clock.now() + interval(options, this.#failures, random);
    this.#failures += 1;
  }

  #ended(): void {
    this.#channel = undefined;
    this.#trying = false;
    const mended = this.outbox.triedNacked(this.parts.clock.now());
    // First, so that nothing more is sent on the channel that has nacked what another one then got confirmed.
    if (mended && this.#confirmed > 0) this.owner.wearOut();
    this.arm();
    this.owner.pump();
  }
}
