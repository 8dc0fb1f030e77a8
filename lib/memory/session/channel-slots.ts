import { notAllowed } from '../amqp-fault.js';
import type { Frame } from '../wire/frame-parser.js';
import { ChannelSlot } from './channel-slot.js';
import type { Session } from './session.js';

/** The channels of a connection, by their number. */
export class ChannelSlots {
  readonly #slots = new Map<number, ChannelSlot>();

  constructor(private readonly session: Session) {}

  get size(): number {
    return this.#slots.size;
  }

  *[Symbol.iterator](): Iterator<ChannelSlot> {
    yield* this.#slots.values();
  }

  /** @throws AmqpFault */
  frame(frame: Frame): void {
    let slot = this.#slots.get(frame.channel);
    if (slot === undefined) {
      const { channelMax } = this.session.limits;
      if (channelMax !== 0 && this.#slots.size >= channelMax) {
        throw notAllowed(
          `number of channels opened (${this.#slots.size}) has reached the negotiated channel_max (${channelMax})`,
        );
      }
      slot = new ChannelSlot(this.session, frame.channel, () => this.#slots.delete(frame.channel));
      this.#slots.set(frame.channel, slot);
    }
    slot.frame(frame);
  }

  /** Answers for what was published since the last time. */
  flush(): void {
    for (const { channel } of this.#slots.values()) channel?.confirms?.flush();
  }

  /** The client reads again. */
  serve(): void {
    for (const { channel } of this.#slots.values()) channel?.serve();
  }

  end(): void {
    for (const { channel } of this.#slots.values()) channel?.end();
    this.#slots.clear();
  }
}
