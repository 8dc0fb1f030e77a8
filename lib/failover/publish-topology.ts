import { isAmqpError, isTopologyError } from '../errors.js';
import { declaringFailed, producerTopologyRefused } from '../publish.messages.js';
import { interval } from '../policy/interval.js';
import type { ConnectionParts } from './connection-parts.js';
import type { Link } from './link.js';
import { pause } from './patience.js';

/** A channel that went without a code, by its deadline say, has refused nothing. */
function isRefusal(error: unknown): error is Error {
  if (!isTopologyError(error)) return false;
  const { cause, code } = error;
  if (cause instanceof AggregateError) return cause.errors.every(isRefusal);
  return code !== undefined || !isAmqpError(cause) || cause.fault.scope === 'operation';
}

/** Sees to it that what is registered is declared on a link before the next publish goes there. */
export class PublishTopology {
  /** Counts what was registered. */
  #registered = 0;
  /** Up to which count all is declared on `#link`. */
  #declared = 0;
  #link: Link | undefined;
  #declaring: Link | undefined;
  readonly #life = new AbortController();

  constructor(
    private readonly parts: ConnectionParts,
    private readonly ready: () => void,
  ) {}

  /** More was registered since. */
  registered(): void {
    this.#registered += 1;
  }

  isDeclaredOn(link: Link): boolean {
    return this.#link === link && this.#declared === this.#registered;
  }

  /**
   * Declares what is registered. What the broker refuses is told, and the rest goes on: publishing may work all the same.
   *
   * @throws AmqpError when the connection was lost, or does not answer
   */
  async declareOn(link: Link): Promise<void> {
    const { topology, logger } = this.parts;
    while (!this.isDeclaredOn(link)) {
      const upTo = this.#registered;
      try {
        await topology.declareOn(link);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        logger.error(producerTopologyRefused(error));
      }
      this.#link = link;
      this.#declared = upTo;
    }
  }

  /** Declares it in the background, again and again while the link lives, and then says `ready`. */
  declareSoon(link: Link): void {
    if (this.#declaring === link) return;
    this.#declaring = link;
    void this.#declare(link).then(() => {
      if (this.#declaring === link) this.#declaring = undefined;
      this.ready();
    });
  }

  stop(): void {
    this.#life.abort();
  }

  async #declare(link: Link): Promise<void> {
    const { clock, logger, options, random } = this.parts;
    for (let failures = 0; link.live && !this.#life.signal.aborted; failures += 1) {
      try {
        await this.declareOn(link);
        return;
      } catch (error) {
        if (!link.live) return;
        logger.warn(declaringFailed(error));
      }
      const wait = interval(options, failures, random);
      await pause(clock, wait, this.#life.signal).catch(() => undefined);
    }
  }
}
