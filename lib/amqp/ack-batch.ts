/** What can be acknowledged, by its number on its channel. */
interface Numbered {
  readonly fields: { readonly deliveryTag: number };
}

/** One frame to send: the ack of a message, or of all that is outstanding up to it. */
export interface BatchedAck<M> {
  readonly message: M;
  readonly allUpTo: boolean;
}

/**
 * The acks of one turn of a channel, in as few frames as say the same. One frame covers several only if nothing else is
 * outstanding below it: `multiple` acknowledges whatever is.
 */
export class AckBatch<M extends Numbered> {
  /** Delivered and not settled, in the order of their numbers. */
  readonly #outstanding = new Set<number>();
  #acked: M[] = [];

  delivered({ fields }: Numbered): void {
    this.#outstanding.add(fields.deliveryTag);
  }

  /** Takes an ack, to be sent with the others. @returns false for what is not outstanding: that is for the broker to judge */
  add(message: M): boolean {
    if (!this.#outstanding.delete(message.fields.deliveryTag)) return false;
    this.#acked.push(message);
    return true;
  }

  /** It was settled otherwise; with `allUpTo` so was all below it. */
  settled({ fields: { deliveryTag } }: Numbered, allUpTo = false): void {
    if (!allUpTo) this.#outstanding.delete(deliveryTag);
    else for (const tag of this.#outstanding) if (tag <= deliveryTag) this.#outstanding.delete(tag);
  }

  /** All that was delivered is settled, or the broker has taken it back. */
  allSettled(): void {
    this.#outstanding.clear();
  }

  /** Takes out what is to be sent now. */
  take(): BatchedAck<M>[] {
    const acked = this.#acked;
    if (acked.length === 0) return [];
    this.#acked = [];
    const lowest: number = this.#outstanding.values().next().value ?? Infinity;
    const frames: BatchedAck<M>[] = [];
    let last: M | undefined;
    let covered = 0;
    for (const message of acked) {
      const { deliveryTag } = message.fields;
      if (deliveryTag > lowest) frames.push({ message, allUpTo: false });
      else {
        covered += 1;
        if (last === undefined || deliveryTag > last.fields.deliveryTag) last = message;
      }
    }
    if (last !== undefined) frames.push({ message: last, allUpTo: covered > 1 });
    return frames;
  }
}
