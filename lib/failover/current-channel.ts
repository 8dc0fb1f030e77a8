import { declaringFailed } from '../publish.messages.js';
import { interval } from '../policy/interval.js';
import type { ConnectionParts } from './connection-parts.js';
import type { Link } from './link.js';
import type { Outbox } from './outbox.js';
import { pause } from './patience.js';
import { openPublishChannel } from './publish-channel-opening.js';
import type { PublishChannel, PublishChannelEvents } from './publish-channel.js';
import type { PublishTopology } from './publish-topology.js';

/** Who publishes on the current channel. */
export interface CurrentChannelOwner extends PublishChannelEvents {
  pump(): void;
  /** There is no connection to send on. */
  unconnected(): void;
  /** There will be none. */
  failed(cause: unknown): void;
}

export interface CurrentChannelParts {
  readonly connection: ConnectionParts;
  readonly outbox: Outbox;
  readonly topology: PublishTopology;
  /** Milliseconds within which a broker has to open a channel. */
  readonly openTimeout: number;
}

/**
 * The one channel on which a producer publishes: opened on the connection that lives, once all is declared there, and anew
 * whenever it was lost, for as long as something is to be sent.
 */
export class CurrentChannel {
  #channel: PublishChannel | undefined;
  /** Ends the loop; undefined while it does not run. */
  #run: AbortController | undefined;
  /** Called when the channel is current no longer; false if it had been of no use. */
  #left: (useful: boolean) => void = () => undefined;
  #worn = false;
  /** The last connection that was used. */
  #link: Link | undefined;
  /** How many channels in a row were of no use. */
  #failures = 0;

  constructor(
    private readonly parts: CurrentChannelParts,
    private readonly owner: CurrentChannelOwner,
  ) {}

  get channel(): PublishChannel | undefined {
    return this.#channel;
  }

  /** It is to be replaced as soon as nothing is unconfirmed on it. */
  get worn(): boolean {
    return this.#worn;
  }

  /** To be called when something is to be sent, and there is no channel. */
  start(): void {
    if (this.#run !== undefined) return;
    this.#run = new AbortController();
    void this.#work(this.#run);
  }

  /** Nothing is to be sent: without a channel nobody waits for a connection any more. */
  rest(): void {
    if (this.#channel !== undefined) return;
    const run = this.#run;
    this.#run = undefined;
    run?.abort();
  }

  /** No more is sent on it, and another one takes its place. */
  wearOut(): void {
    this.#worn = this.#channel !== undefined;
    this.replaceWorn();
  }

  replaceWorn(): void {
    const channel = this.#channel;
    if (!this.#worn || channel === undefined || channel.unconfirmed > 0) return;
    this.leave(true);
    void channel.close();
  }

  /** The channel is gone. `useful`: one that dies at once is not replaced at once for ever. */
  leave(useful: boolean): void {
    this.#channel = undefined;
    this.#worn = false;
    this.#left(useful);
  }

  /** Until nothing is left to send; never rejects. */
  async #work(run: AbortController): Promise<void> {
    const { outbox } = this.parts;
    try {
      while (outbox.messages > 0 && !run.signal.aborted) await this.#serve(run.signal);
      // In the turn in which nothing was left, so that what comes next starts it again.
      if (this.#run === run) this.#run = undefined;
    } catch (cause) {
      if (this.#run !== run) return;
      this.#run = undefined;
      this.owner.failed(cause);
    }
  }

  /** One channel, from its opening to its end. */
  async #serve(signal: AbortSignal): Promise<void> {
    const { connection, outbox } = this.parts;
    const { loop, clock, options, random } = connection;
    if (loop.link === undefined) this.owner.unconnected();
    const link = await loop.wait({ signal, bearsRefusal: true });
    if (link !== this.#link) outbox.releaseNacked();
    this.#link = link;
    const channel = await this.#open(link);
    if (signal.aborted) void channel?.close();
    else if (channel !== undefined && (await this.#use(channel))) this.#failures = 0;
    else if (link.live) {
      // The connection lives, but gives no channel or one that dies at once. The first time may be chance.
      const wait = this.#failures === 0 ? 0 : interval(options, this.#failures - 1, random);
      this.#failures += 1;
      if (wait > 0) await pause(clock, wait, signal);
    }
  }

  async #open(link: Link): Promise<PublishChannel | undefined> {
    const { connection, topology, openTimeout } = this.parts;
    try {
      await topology.declareOn(link);
    } catch (error) {
      if (link.live) connection.logger.warn(declaringFailed(error));
      return undefined;
    }
    return openPublishChannel(connection, link, openTimeout, this.owner);
  }

  #use(channel: PublishChannel): Promise<boolean> {
    // It may have ended on its way here, and does not tell a second time.
    if (channel.ended) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#left = resolve;
      this.#channel = channel;
      this.owner.pump();
    });
  }
}
