import type { AmqpError, PublishOutcome } from '../errors.js';
import { PublishError, UnroutableError } from '../errors.js';
import {
  nackedBy,
  noConnectionNow,
  notConfirmed,
  notEncodable,
  publishAborted,
  publishTimedOut,
  unroutable,
} from '../failover.messages.js';
import { interval } from '../policy/interval.js';
import { recoverability } from '../policy/recoverability.js';
import { ConfirmWatch } from './confirm-watch.js';
import type { ConnectionParts } from './connection-parts.js';
import { Deadlines } from './deadlines.js';
import type { Link } from './link.js';
import { guarded } from './listeners.js';
import { NackedRetry } from './nacked-retry.js';
import { Outbox } from './outbox.js';
import type { OutboxEntry } from './outbox-entry.js';
import { pause } from './patience.js';
import { openPublishChannel } from './publish-channel-opening.js';
import type { PublishChannel, PublishChannelEvents, ReturnReply } from './publish-channel.js';
import { isNotEncoded } from './publish-channel.js';
import type { ResolvedProducerOptions } from './publish-options.js';
import { PublishSignals } from './publish-signals.js';
import { PublishTopology } from './publish-topology.js';

// What amqplib asks for; RabbitMQ's own default as well.
const FRAME_MAX = 131_072;

/**
 * Moves the entries of one outbox to whichever broker is connected: opens the confirm channel, keeps the window full, and
 * puts back what a loss leaves unconfirmed. What could wait for ever has a deadline: a publish its timeout, a channel
 * without any confirm the confirm timeout.
 */
export class PublishLoop implements PublishChannelEvents {
  readonly outbox: Outbox;
  readonly #deadlines: Deadlines;
  readonly #signals: PublishSignals;
  readonly #retry: NackedRetry;
  readonly #topology: PublishTopology;
  readonly #confirms: ConfirmWatch;
  #channel: PublishChannel | undefined;
  /** Ends the loop; undefined while it does not run. */
  #run: AbortController | undefined;
  /** Called when the current channel is current no longer. */
  #channelEnded: () => void = () => undefined;
  /** The channel is to be replaced as soon as nothing is unconfirmed on it. */
  #worn = false;
  /** Called when everything has settled. */
  #emptied: (() => void) | undefined;
  readonly #deaf: () => void;

  constructor(
    private readonly parts: ConnectionParts,
    private readonly options: ResolvedProducerOptions,
  ) {
    const nackBackoff = { start: options.nackBackoffStart, max: options.nackBackoffMax };
    this.outbox = new Outbox({ ...options, nackBackoff });
    this.#deadlines = new Deadlines(parts.clock, (entry) =>
      this.#giveUp(entry, publishTimedOut(entry.policy.timeout)),
    );
    this.#signals = new PublishSignals((entry, cause) =>
      this.#giveUp(entry, publishAborted(), { cause }),
    );
    this.#retry = new NackedRetry(parts, this.outbox, this);
    this.#topology = new PublishTopology(parts, () => this.pump());
    this.#confirms = new ConfirmWatch(parts.clock, options.confirmTimeout, {
      channels: () => [this.#channel, this.#retry.channel].filter((on) => on !== undefined),
      silent: (channel, error) => this.#silent(channel, error),
    });
    this.#deaf = parts.listeners.on('blocked', ({ reason }) => {
      if (reason !== undefined) return;
      this.#confirms.unblocked();
      this.#retry.arm();
      this.pump();
    });
  }

  /** Takes a publish, and sends it in this very call if it can. */
  add(entry: OutboxEntry): void {
    this.outbox.add(entry);
    this.#deadlines.add(entry);
    this.#signals.add(entry);
    if (this.#channel === undefined) this.#start();
    else this.pump();
  }

  /** What was registered since has to be declared before the next publish is sent. */
  declareFirst(): void {
    this.#topology.registered();
  }

  /** Sends while there is room. */
  pump(): void {
    for (;;) {
      const channel = this.#channel;
      if (channel?.isOpen !== true || this.#worn) return;
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
    const frameMax = on.link.connection.broker.frameMax ?? FRAME_MAX;
    if (propertiesSize > frameMax) {
      this.#reject(entry, entry.outcome(false), propertiesTooLarge(propertiesSize, frameMax));
      return;
    }
    try {
      on.send(entry);
      this.#confirms.start();
    } catch (cause) {
      if (isNotEncoded(cause)) {
        this.#reject(entry, entry.outcome(false), notEncodable(cause), { cause });
      } else this.outbox.putBack([entry]);
    }
  }

  acked(entry: OutboxEntry, on: PublishChannel): void {
    this.#confirms.answered();
    this.#retry.confirmed(on);
    if (entry.settled) return;
    this.#settle(entry);
    const { attempts, suspect, message } = entry;
    const { broker } = on.link;
    entry.resolve({ messageId: message.messageId, broker, attempts, redeliverySuspect: suspect });
  }

  nacked(entry: OutboxEntry, on: PublishChannel): void {
    this.#confirms.answered();
    if (entry.settled) return;
    const tried = on === this.#retry.channel;
    const again = this.outbox.nacked(entry, this.parts.clock.now(), tried);
    const why = nackedBy(on.link.broker, entry.nacks);
    if (again) this.#tell(entry, new Error(why), on.link.broker);
    else this.#reject(entry, entry.suspect ? 'unknown' : 'nacked', why);
    this.#retry.arm();
  }

  returned(entry: OutboxEntry, reply: ReturnReply): void {
    const { messageId, exchange, routingKey } = entry.message;
    const message = unroutable(messageId, exchange, routingKey, reply.text);
    this.#settle(entry);
    entry.reject(new UnroutableError(message, 'returned', messageId, reply.code));
  }

  room(on: PublishChannel): void {
    if (on !== this.#channel) this.#retry.room(on);
    else if (this.#worn && on.unconfirmed === 0) this.#replace(on);
    else this.pump();
  }

  closed(on: PublishChannel, unconfirmed: readonly OutboxEntry[], loss: AmqpError): void {
    const connectionLost = loss.fault.scope === 'connection';
    const { code } = loss;
    const killed =
      recoverability({ connectionLost, channelClosed: true, code }) === 'none' && !connectionLost;
    this.#lost(on, unconfirmed, killed, loss);
  }

  /** A nacked publish went through on a new channel: on RabbitMQ 3.10 the old one can stay nacked until a dead node is back. */
  wearOut(): void {
    this.#worn = this.#channel !== undefined;
    if (this.#channel?.unconfirmed === 0) this.#replace(this.#channel);
  }

  /** Waits until all has settled, at most until `signal` aborts; then gives up what is left, and ends. Never rejects. */
  async stop(signal: AbortSignal, why: string): Promise<void> {
    const late = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const empty = new Promise<void>((resolve) => {
      if (this.outbox.messages === 0) resolve();
      else this.#emptied = resolve;
    });
    await Promise.race([empty, late]);
    this.#deaf();
    const channel = this.#channel;
    this.#giveUpAll(why);
    this.#rest();
    this.#topology.stop();
    this.#retry.stop();
    this.#confirms.stop();
    this.#leaveChannel();
    await Promise.race([channel?.close(), late]);
  }

  #start(): void {
    if (this.#run !== undefined) return;
    this.#run = new AbortController();
    void this.#work(this.#run);
  }

  /** Until nothing is left to send; never rejects. */
  async #work(run: AbortController): Promise<void> {
    let failure: unknown;
    try {
      await this.#moveAll(run.signal);
    } catch (error) {
      if (!run.signal.aborted) failure = error;
    }
    // In the same turn in which nothing was left, so that what comes next starts it again.
    if (this.#run === run) this.#run = undefined;
    if (failure !== undefined) this.#giveUpAll(reasonOf(failure), { cause: failure });
  }
