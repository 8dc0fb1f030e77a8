import type { QueueSettings } from './queue-arguments.js';

/** What a queue holds. */
export interface Held {
  readonly size: number;
  /** Of the bodies. */
  readonly bytes: number;
}

// A quorum queue that refuses takes messages again when it holds no more than this part of what it may.
const SOFT_LIMIT = 0.8;

/** How much a queue may hold, and whether it refuses what is more. */
export class QueueBounds {
  #refusing = false;

  constructor(private readonly settings: QueueSettings) {}

  /** Whether some of it has to go. */
  overflows({ size, bytes }: Held): boolean {
    const { maxLength, maxLengthBytes } = this.settings;
    return (
      (maxLength !== undefined && size > maxLength) ||
      (maxLengthBytes !== undefined && bytes > maxLengthBytes)
    );
  }

  /** Whether a message with this body is not taken. */
  refuses(held: Held, body: Buffer): boolean {
    const { type, overflow } = this.settings;
    if (overflow === 'drop-head') return false;
    if (type === 'classic') {
      return this.overflows({ size: held.size + 1, bytes: held.bytes + body.length });
    }
    this.look(held);
    return this.#refusing;
  }

  /** A quorum queue finds out that it is full when it is, and has room again when there is some to spare. */
  look(held: Held): void {
    if (this.overflows(held)) this.#refusing = true;
    else if (this.#hasRoomToSpare(held)) this.#refusing = false;
  }

  #hasRoomToSpare({ size, bytes }: Held): boolean {
    const { maxLength, maxLengthBytes } = this.settings;
    return isBelow(maxLength, size) && isBelow(maxLengthBytes, bytes);
  }
}

const isBelow = (most: number | undefined, held: number): boolean =>
  most === undefined || held <= Math.trunc(most * SOFT_LIMIT);
