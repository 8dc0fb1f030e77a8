import type { AmqpError } from '../errors.js';
import { isAmqpError } from '../errors.js';
import { reasonOf } from '../phrases.js';
import { noConnectionNow, notEncodable, propertiesTooLarge } from '../publish.messages.js';
import { recoverability } from '../policy/recoverability.js';
import { ConfirmWatch } from './confirm-watch.js';
import type { ConnectionParts } from './connection-parts.js';
import type { CurrentChannelOwner } from './current-channel.js';
import { CurrentChannel } from './current-channel.js';
import type { NackedRetryOwner } from './nacked-retry.js';
import { NackedRetry } from './nacked-retry.js';
import type { ChannelEnd } from './outbox.js';
import { Outbox } from './outbox.js';
import type { OutboxEntry } from './outbox-entry.js';
import { PendingPublishes } from './pending-publishes.js';
import type { PublishChannel, ReturnReply } from './publish-channel.js';
import { isNotEncoded } from './publish-channel.js';
import type { ResolvedProducerOptions } from './publish-options.js';
import { PublishTopology } from './publish-topology.js';

/**
 * Moves the entries of one outbox to whichever broker is connected: keeps the window full, and puts back what a loss leaves
 * unconfirmed. What could wait for ever has a deadline: a publish its timeout, a channel without any confirm the confirm
 * timeout.
 */
export class PublishLoop implements CurrentChannelOwner, NackedRetryOwner {
  readonly outbox: Outbox;
  readonly #pending: PendingPublishes;
  readonly #topology: PublishTopology;
  readonly #current: CurrentChannel;
  readonly #retry: NackedRetry;
  readonly #confirms: ConfirmWatch;
  /** Called when everything has settled. */
  #emptied: () => void = () => undefined;
  readonly #deaf: () => void;

  constructor(parts: ConnectionParts, options: ResolvedProducerOptions) {
    const { clock, listeners } = parts;
    const nackBackoff = { start: options.nackBackoffStart, max: options.nackBackoffMax };
    const outbox = new Outbox({ ...options, nackBackoff });
    const topology = new PublishTopology(parts, () => this.pump());
    this.outbox = outbox;
    this.#topology = topology;
    this.#pending = new PendingPublishes(outbox, {
      clock,
      onErrbackError: listeners.onError,
      emptied: () => {
        // What nobody waits for any more still fills the window until it is answered, or its channel given up.
        this.#confirms.rest();
        this.#retry.rest();
        this.#current.rest();
        this.#emptied();
      },
    });
    const openTimeout = options.confirmTimeout;
    this.#current = new CurrentChannel({ connection: parts, outbox, topology, openTimeout }, this);
    this.#retry = new NackedRetry(parts, outbox, this);
    this.#confirms = new ConfirmWatch(clock, options.confirmTimeout, {
      channels: () => this.#channels,
      silent: (channel, error) => {
        parts.logger.warn(error.message);
        this.#lost(channel, channel.abandon(), 'lost', error);
      },
    });
    this.#deaf = listeners.on('blocked', ({ reason }) => {
      if (reason === undefined) this.#unblocked();
    });
  }

  /** Takes a publish, and sends it in this very call if it can. */
  add(entry: OutboxEntry): void {
    this.#pending.add(entry);
    if (this.#current.channel === undefined) this.#current.start();
    else this.pump();
  }

  /** What was registered since has to be declared before the next publish is sent. */
  declareFirst(): void {
    this.#topology.registered();
  }

  /** Sends while there is room. */
  pump(): void {
    for (;;) {
      const { channel, worn } = this.#current;
      if (channel?.isOpen !== true || worn) return;
      if (!this.#topology.isDeclaredOn(channel.link)) {
        this.#topology.declareSoon(channel.link);
        return;
      }
      const entry = this.outbox.take(channel.unconfirmed);
      if (entry === undefined) return;
      this.send(entry, channel);
    }
  }

  send(entry: OutboxEntry, on: PublishChannel): void {
    const { propertiesSize } = entry.message;
    const { frameMax } = on.link.connection;
    if (propertiesSize > frameMax) {
      const why = propertiesTooLarge(propertiesSize, frameMax);
      this.#pending.reject(entry, entry.outcome(false), why);
      return;
    }
    try {
      on.send(entry);
      this.#confirms.start();
    } catch (cause) {
      if (isNotEncoded(cause)) {
        this.#pending.reject(entry, entry.outcome(false), notEncodable(cause), { cause });
      } else this.outbox.putBack([entry]);
    }
  }

  acked(entry: OutboxEntry, on: PublishChannel): void {
    this.outbox.answered(entry);
    this.#confirms.answered();
    this.#retry.confirmed(on);
    this.#pending.confirmed(entry, on.link.broker);
  }

  nacked(entry: OutboxEntry, on: PublishChannel): void {
    this.outbox.answered(entry);
    this.#confirms.answered();
    this.#pending.nacked(entry, on.link.broker, on === this.#retry.channel);
    this.#retry.arm();
  }

  returned(entry: OutboxEntry, reply: ReturnReply): void {
    this.#pending.returned(entry, reply);
  }

  room(on: PublishChannel): void {
    if (on !== this.#current.channel) this.#retry.room(on);
    else {
      this.#current.replaceWorn();
      this.pump();
    }
  }

  closed(on: PublishChannel, unconfirmed: readonly OutboxEntry[], loss: AmqpError): void {
    const connectionLost = loss.fault.scope === 'connection';
    const { code } = loss;
    const unrecoverable = recoverability({ connectionLost, channelClosed: true, code }) === 'none';
    // A publish may have done it: sent again amid the others it would end one connection after the other.
    if (!unrecoverable) this.#lost(on, unconfirmed, 'lost', loss);
    else if (!connectionLost) this.#lost(on, unconfirmed, 'killed', loss);
    else {
      // It may have been on the other channel: alone is only what was alone on the connection.
      const others = this.#channels.filter((other) => other !== on && other.link === on.link);
      const entries = [...unconfirmed, ...others.flatMap((other) => other.abandon())];
      this.#lost(on, entries, 'killed-connection', loss);
      for (const other of others) this.#leave(other, 'killed-connection', loss);
    }
    this.#confirms.rest();
  }

  /** A nacked publish went through on a new channel: on RabbitMQ 3.10 the old one can stay nacked until a dead node is back. */
  wearOut(): void {
    this.#current.wearOut();
  }

  unconnected(): void {
    const entries = [...this.outbox.entries()].filter(({ policy }) => !policy.waits);
    this.#pending.end(entries, noConnectionNow());
  }

  failed(cause: unknown): void {
    this.#endAll(reasonOf(cause), { cause });
  }

  /** Waits until all has settled, at most until `signal` aborts; then gives up what is left, and ends. Never rejects. */
  async stop(signal: AbortSignal, why: string): Promise<void> {
    const late = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    const empty = new Promise<void>((resolve) => {
      this.#emptied = resolve;
      if (this.outbox.messages === 0) resolve();
    });
    await Promise.race([empty, late]);
    this.#deaf();
    const { channel } = this.#current;
    this.#endAll(why);
    this.#topology.stop();
    this.#retry.stop();
    this.#confirms.stop();
    this.#current.leave(true);
    this.#current.rest();
    await Promise.race([channel?.close(), late]);
  }

  get #channels(): PublishChannel[] {
    return [this.#current.channel, this.#retry.channel].filter((on) => on !== undefined);
  }

  #unblocked(): void {
    this.#confirms.unblocked();
    this.#retry.arm();
    this.pump();
  }

  #lost(
    on: PublishChannel,
    unconfirmed: readonly OutboxEntry[],
    end: ChannelEnd,
    cause: Error,
  ): void {
    this.#pending.lost(unconfirmed, end, cause, on.link.broker);
    this.#leave(on, end, cause);
  }

  #leave(channel: PublishChannel, end: ChannelEnd, cause: Error): void {
    this.#retry.closed(channel);
    if (channel !== this.#current.channel) return;
    this.#current.leave(end === 'killed' || channel.answered || !isAmqpError(cause));
  }

  #endAll(why: string, options?: ErrorOptions): void {
    const unsent = [...this.outbox.entries()];
    const sent = this.#channels.flatMap((channel) => channel.abandon());
    this.#pending.end([...sent, ...unsent], why, options);
  }
}
