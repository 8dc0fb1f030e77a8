import type { AmqpError, PublishOutcome } from '../errors.js';
import { PublishError, UnroutableError, isAmqpError, isTopologyError } from '../errors.js';
import {
  confirmChannelRefused,
  confirmsMissing,
  notConfirmed,
  nackedBy,
  notEncodable,
  producerTopologyRefused,
  publishTimedOut,
  unroutable,
} from '../failover.messages.js';
import { interval } from '../policy/interval.js';
import { recoverability } from '../policy/recoverability.js';
import type { ConnectionParts } from './connection-parts.js';
import { Deadlines } from './deadlines.js';
import type { Link } from './link.js';
import { guarded } from './listeners.js';
import { NackedRetry } from './nacked-retry.js';
import { Outbox } from './outbox.js';
import type { OutboxEntry } from './outbox-entry.js';
import { pause } from './patience.js';
import type { PublishChannelEvents, ReturnReply } from './publish-channel.js';
import { PublishChannel } from './publish-channel.js';
import type { ResolvedProducerOptions } from './publish-options.js';

/**
 * Moves the entries of one outbox to whichever broker is connected: opens the confirm channel, keeps the window full, and
 * puts back what a loss leaves unconfirmed. What could wait for ever has a deadline: a publish its timeout, a channel
 * without any confirm the confirm timeout.
 */
export class PublishLoop implements PublishChannelEvents {
  readonly outbox: Outbox;
  readonly #deadlines: Deadlines;
  readonly #retry: NackedRetry;
  #channel: PublishChannel | undefined;
  /** Ends the loop; undefined while it does not run. */
  #run: AbortController | undefined;
  /** Called when the current channel is current no longer. */
  #channelEnded: () => void = () => undefined;
  /** The channel is to be replaced as soon as nothing is unconfirmed on it. */
  #worn = false;
  #declaring = false;
  #confirmTimeouts = 0;
  #cancelCheck: (() => void) | undefined;
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
      this.giveUp(entry, publishTimedOut(entry.policy.timeout)),
    );
    this.#retry = new NackedRetry(parts, this.outbox, this);
    this.#deaf = parts.listeners.on('blocked', () => this.pump());
  }

  /** Takes a publish, and sends it in this very call if it can. */
  add(entry: OutboxEntry): void {
    this.outbox.add(entry);
    this.#deadlines.add(entry);
    if (this.#channel === undefined) this.#start();
    else this.pump();
  }

  /** What was registered since has to be declared before the next publish is sent. */
  declareFirst(): void {
    const link = this.#channel?.link;
    if (link === undefined || this.#declaring) return;
    this.#declaring = true;
    void this.#declare(link).finally(() => {
      this.#declaring = false;
      this.pump();
    });
  }

  /** Sends while there is room. */
  pump(): void {
    for (;;) {
      const channel = this.#channel;
      if (channel?.isOpen !== true || this.#worn || this.#declaring) return;
      const entry = this.outbox.take(channel.unconfirmed);
      if (entry === undefined) return;
      this.send(entry, channel);
    }
  }

  send(entry: OutboxEntry, on: PublishChannel): void {
    if (entry.settled) return;
    try {
      on.send(entry);
      this.#watchConfirms(this.options.confirmTimeout);
    } catch (cause) {
      if (isAmqpError(cause) && cause.fault.scope !== 'operation') this.outbox.putBack([entry]);
      else this.#reject(entry, 'not-sent', notEncodable(cause), { cause });
    }
  }

  /** The publish ends here, by its caller's deadline, signal or stop. */
  giveUp(entry: OutboxEntry, why: string, cause?: unknown): void {
    // In no list: it is on the wire, without an answer.
    const onTheWire = entry.place.list === undefined;
    this.#reject(entry, entry.outcome(onTheWire), why, { cause });
  }

  acked(entry: OutboxEntry, on: PublishChannel): void {
    this.#confirmTimeouts = 0;
    this.#retry.confirmed(on);
    if (entry.settled) return;
    this.#settle(entry);
    const { attempts, suspect, message } = entry;
    const { broker } = on.link;
    entry.resolve({ messageId: message.messageId, broker, attempts, redeliverySuspect: suspect });
  }

  nacked(entry: OutboxEntry, on: PublishChannel): void {
    this.#confirmTimeouts = 0;
    if (entry.settled) return;
    const again = this.outbox.nacked(entry, this.parts.clock.now());
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
    if (on === this.#channel) {
      if (this.#worn && on.unconfirmed === 0) this.#replace(on);
      else this.pump();
    } else this.#retry.room(on);
  }

  closed(on: PublishChannel, unconfirmed: readonly OutboxEntry[], loss: AmqpError): void {
    const connectionLost = loss.fault.scope === 'connection';
    const { code } = loss;
    const killed =
      recoverability({ connectionLost, channelClosed: true, code }) === 'none' && !connectionLost;
    this.#lost(unconfirmed, killed, loss, on.link.broker);
    this.#retry.closed(on);
    if (on === this.#channel) this.#leaveChannel();
  }

  /** A nacked publish went through on a new channel: on RabbitMQ 3.10 the old one can stay nacked until a dead node is back. */
  wearOut(): void {
    this.#worn = this.#channel !== undefined;
    if (this.#channel?.unconfirmed === 0) this.#replace(this.#channel);
  }

  /** Waits until all has settled, at most until `signal` aborts; then gives up what is left, and ends. Never rejects. */
  async stop(signal: AbortSignal, why: string): Promise<void> {
    if (this.outbox.messages > 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#emptied = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    this.#deaf();
    this.#giveUpAll(why);
    this.#run?.abort();
    this.#retry.stop();
    this.#cancelCheck?.();
    const channel = this.#channel;
    this.#leaveChannel();
    await channel?.close();
  }

  #start(): void {
    if (this.#run !== undefined) return;
    const run = new AbortController();
    this.#run = run;
    void this.#work(run.signal)
      .catch((error: unknown) => {
        if (!run.signal.aborted)
          this.#giveUpAll(error instanceof Error ? error.message : '', error);
      })
      .finally(() => {
        if (this.#run === run) this.#run = undefined;
      });
  }

  /** Until nothing is left to send. */
  async #work(signal: AbortSignal): Promise<void> {
    const { loop, clock, options, random } = this.parts;
    for (let failures = 0, last: Link | undefined; this.outbox.messages > 0;) {
      const link = await loop.wait({ signal, bearsRefusal: true });
      if (link !== last) this.outbox.releaseNacked();
      last = link;
      const channel = await this.#open(link);
      signal.throwIfAborted();
      if (channel === undefined) {
        // The connection lives but gives no channel: not to be asked again at once.
        if (link.live) await pause(clock, interval(options, failures, random), signal);
        failures += 1;
        continue;
      }
      failures = 0;
      const ended = new Promise<void>((resolve) => {
        this.#channelEnded = resolve;
      });
      this.#channel = channel;
      this.pump();
      await ended;
    }
  }

  async #open(link: Link): Promise<PublishChannel | undefined> {
    try {
      await this.#declare(link);
      const channel = await link.connection.openConfirmChannel();
      return new PublishChannel(link, channel, this.parts.clock, this);
    } catch (error) {
      if (link.live) this.parts.logger.warn(confirmChannelRefused(error));
      return undefined;
    }
  }

  /** What the broker refuses to declare is told, and the rest goes on: publishing may work all the same. */
  async #declare(link: Link): Promise<void> {
    const { topology, logger } = this.parts;
    try {
      await topology.declareOn(link);
    } catch (error) {
      if (isTopologyError(error)) logger.error(producerTopologyRefused(error));
      else if (link.live) throw error;
    }
  }

  #lost(
    unconfirmed: readonly OutboxEntry[],
    killed: boolean,
    cause: Error & { readonly code?: number | undefined },
    broker: string,
  ): void {
    const verdicts = this.outbox.lost(unconfirmed, killed);
    for (const entry of unconfirmed) {
      if (entry.settled) continue;
      const verdict = verdicts.get(entry);
      if (verdict === undefined) this.#tell(entry, cause, broker);
      else this.#reject(entry, verdict, cause.message, { cause }, cause.code);
    }
  }

  #replace(channel: PublishChannel): void {
    this.#leaveChannel();
    void channel.close();
  }

  #leaveChannel(): void {
    this.#channel = undefined;
    this.#worn = false;
    this.#channelEnded();
    if (this.outbox.messages > 0) this.#start();
  }

  /** One timer for all: it looks again whenever the oldest answer could be overdue. */
  #watchConfirms(delay: number): void {
    this.#cancelCheck ??= this.parts.clock.schedule(delay, () => {
      this.#cancelCheck = undefined;
      const overdue = [this.#channel, this.#retry.channel].map((channel) =>
        channel === undefined ? undefined : this.#checkConfirms(channel),
      );
      const waits = overdue.filter((wait) => wait !== undefined);
      if (waits.length > 0) this.#watchConfirms(Math.min(...waits));
    });
  }

  /** @returns milliseconds until the channel has to be looked at again; undefined when nothing is unconfirmed on it */
  #checkConfirms(channel: PublishChannel): number | undefined {
    const { confirmTimeout } = this.options;
    const now = this.parts.clock.now();
    if (channel.unconfirmed === 0) return undefined;
    // A broker that takes nothing in cannot be expected to answer.
    if (channel.link.connection.blocked !== undefined) channel.progressAt = now;
    const silent = now - channel.progressAt;
    if (silent < confirmTimeout) return confirmTimeout - silent;
    this.#confirmTimeouts += 1;
    const error = new Error(confirmsMissing(confirmTimeout, channel.link.broker));
    this.parts.logger.warn(error.message);
    const { link } = channel;
    const unconfirmed = channel.abandon();
    this.#lost(unconfirmed, false, error, link.broker);
    this.#retry.closed(channel);
    if (channel === this.#channel) this.#leaveChannel();
    if (this.#confirmTimeouts > 1) link.connection.destroy(error);
    return undefined;
  }

  #tell(entry: OutboxEntry, error: Error, broker: string): void {
    const { errback } = entry.policy;
    if (errback === undefined) return;
    const event = { error, interval: 0, broker, attempt: entry.attempts };
    guarded(() => errback(event), 'errback', this.parts.listeners.onError);
  }

  #reject(
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

  #settle(entry: OutboxEntry): void {
    entry.settled = true;
    entry.onSettled?.();
    this.#deadlines.remove(entry);
    this.outbox.settled(entry);
    if (this.outbox.messages === 0) this.#emptied?.();
  }

  #giveUpAll(why: string, cause?: unknown): void {
    const unsent = [...this.outbox.entries()];
    const sent = [this.#channel, this.#retry.channel].flatMap(
      (channel) => channel?.abandon() ?? [],
    );
    for (const entry of [...sent, ...unsent]) if (!entry.settled) this.giveUp(entry, why, cause);
  }
}
