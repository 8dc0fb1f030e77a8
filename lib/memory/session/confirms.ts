/** Sends an answer for one publish, or for all up to it. */
export type SendAnswer = (kind: 'basic.ack' | 'basic.nack', tag: number, multiple: boolean) => void;

/** The confirms of a channel. Acks are gathered until `flush`, and sent as one where they follow each other. */
export class Confirms {
  #last = 0;
  #acked: number[] = [];
  /** Some were never answered, so that one answer cannot stand for all before it. */
  #gaps = false;

  constructor(private readonly send: SendAnswer) {}

  /** One more was published. @returns its number */
  next(): number {
    this.#last += 1;
    return this.#last;
  }

  ack(tag: number): void {
    this.#acked.push(tag);
  }

  nack(tag: number): void {
    this.flush();
    this.send('basic.nack', tag, false);
  }

  /** It will have no answer. */
  withhold(): void {
    this.flush();
    this.#gaps = true;
  }

  flush(): void {
    const acked = this.#acked;
    const last = acked.at(-1);
    if (last === undefined) return;
    this.#acked = [];
    if (acked.length > 1 && !this.#gaps) this.send('basic.ack', last, true);
    else for (const tag of acked) this.send('basic.ack', tag, false);
  }
}
