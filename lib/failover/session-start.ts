import type { Channel } from '../amqp/channel.js';
import { errorOf, untilAborted } from '../amqp/deadline.js';
import { isAmqpError, isTopologyError } from '../errors.js';
import { cancelledWhileStarting, consumerTopologyRefused } from '../consumer.messages.js';
import type { ConsumeEndReason } from '../policy/consumer-state.js';
import { isNotFound } from '../policy/reply-codes.js';
import type { ConnectionParts } from './connection-parts.js';
import type { ResolvedConsumerOptions } from './consumer-options.js';
import { ConsumerSession } from './consumer-session.js';
import type { EarlierSessions } from './earlier-sessions.js';
import type { Link } from './link.js';
import type { MessageHandling } from './message-handling.js';
import { RestartLimit } from './restart-limit.js';
import type { SessionLifecycle } from './session-lifecycle.js';

/** What it takes to have a consumer consume. */
export interface SessionStartParts {
  readonly name: string;
  readonly options: ResolvedConsumerOptions;
  readonly handling: MessageHandling;
  readonly lifecycle: SessionLifecycle;
  readonly earlier: EarlierSessions;
}

/** Leads to a channel that is registered with every queue. */
export class SessionStart {
  readonly #restarts: RestartLimit;
  #link: Link | undefined;
  /** The connection on which all that is registered was declared. */
  #declaredOn: Link | undefined;
  #begun: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly connection: ConnectionParts,
    private readonly parts: SessionStartParts,
  ) {
    this.#restarts = new RestartLimit(connection.clock);
  }

  /** The last start failed since its connection was lost. */
  get isCutOff(): boolean {
    return this.#link?.live === false;
  }

  /**
   * Waits for a connection, declares, opens a channel and consumes on it. What has begun when `signal` aborts is undone.
   *
   * @throws TopologyError, AmqpError, ConnectionClosedError; the reason of `signal`
   */
  session(signal: AbortSignal): Promise<ConsumerSession> {
    const begun = this.#session(signal);
    this.#begun = begun.catch(() => undefined);
    return begun;
  }

  /**
   * Resolves when the last start has come to an end, which it does at once when its signal aborts. What some of its queues have
   * delivered may still be handled.
   */
  async over(): Promise<void> {
    await this.#begun;
  }

  async #session(signal: AbortSignal): Promise<ConsumerSession> {
    await this.#restarts.take(signal);
    const link = await this.connection.loop.wait({ signal, bearsRefusal: true });
    if (link !== this.#link) {
      this.#link = link;
      await this.parts.lifecycle.revived(link, signal);
    }
    if (link !== this.#declaredOn) await this.#declareAll(link, signal);
    return this.#open(link, signal);
  }

  /** The limit is for restarts that nobody asked for. */
  allowAtOnce(): void {
    this.#restarts.refill();
  }

  /**
   * Has its queues declared again next time if one of them is gone, as far as this end of a session says. After any other end
   * they are only looked at: while a node of the cluster hangs, each binding waits for about a minute on every node.
   */
  forget(link: Link, reason: ConsumeEndReason, error: Error | undefined): void {
    if (!link.live || (reason !== 'cancelled' && !isMissing(error))) return;
    for (const queue of this.parts.options.queues) this.connection.topology.forget(link, queue);
  }

  /**
   * Not only what is consumed from: what is dead-lettered or published by a handler must not go into the void on a broker
   * that is empty. A refusal of that is no reason not to consume.
   */
  async #declareAll(link: Link, signal: AbortSignal): Promise<void> {
    const { topology, logger } = this.connection;
    try {
      await untilAborted(signal, () => topology.declareOn(link));
    } catch (error) {
      if (!isTopologyError(error)) throw error;
      logger.warn(consumerTopologyRefused(this.parts.name, error));
    }
    this.#declaredOn = link;
  }

  async #open(link: Link, signal: AbortSignal): Promise<ConsumerSession> {
    const { options, handling, earlier, name } = this.parts;
    const channel = await openChannel(link, signal);
    const { topology } = this.connection;
    const session = new ConsumerSession(link, channel, {
      topology,
      options,
      run: (message) => handling.run(message),
    });
    earlier.precede(session);
    try {
      await untilAborted(signal, () => session.consume());
      signal.throwIfAborted();
      if (!session.isConsuming) throw session.loss ?? new Error(cancelledWhileStarting(name));
      return session;
    } catch (error) {
      const { endedBy = 'channel-closed' } = session;
      // Some of its queues may have delivered already.
      earlier.leave(session, signal.aborted ? 'stopped' : 'cancelled');
      this.forget(link, endedBy, errorOf(error));
      throw error;
    }
  }
}

const isMissing = (error: Error | undefined): boolean =>
  (isAmqpError(error) || isTopologyError(error)) && isNotFound(error.code);

async function openChannel({ connection }: Link, signal: AbortSignal): Promise<Channel> {
  const opening = connection.openChannel();
  try {
    return await untilAborted(signal, () => opening);
  } catch (error) {
    // It may be open all the same, or open later.
    opening.then(
      (late) => late.close(),
      () => undefined,
    );
    throw error;
  }
}
