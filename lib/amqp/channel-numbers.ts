import type { Readable } from 'node:stream';

/** The two ends of a channel's buffer: nothing more is written, and all of it has been read. */
type Unsent = Readable & { readonly writableEnded?: boolean };

/**
 * Which channels of a connection still have something to send after they have ended. amqplib gives the number of a channel
 * that the broker closed to the next one at once, and writes the fresh channel's frames first: behind publishes that were
 * waiting, the old channel's close-ok then comes after the new channel's open, and the broker closes the connection
 * (504, second 'channel.open' seen).
 */
export class ChannelNumbers {
  readonly #unsent = new Set<Unsent>();

  opened(unsent: Readable | undefined): void {
    if (unsent === undefined) return;
    this.#unsent.add(unsent);
    unsent.once('end', () => this.#unsent.delete(unsent));
  }

  /** Resolves when every channel that has ended has sent all it had. Undefined when that is so now. */
  free(): Promise<unknown> | undefined {
    const ending = [...this.#unsent].filter(({ writableEnded }) => writableEnded === true);
    if (ending.length === 0) return undefined;
    return Promise.all(
      ending.map(
        (unsent) =>
          new Promise<void>((resolve) => {
            unsent.once('end', resolve);
          }),
      ),
    );
  }
}
