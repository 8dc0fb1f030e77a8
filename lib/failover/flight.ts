import { tagNotOutstanding } from '../publish.messages.js';

/**
 * The unconfirmed publishes of one channel, by their number. A channel counts its publishes from 1, and the broker answers
 * with these numbers; each is checked, since a wrong one taken for granted would be a false confirm.
 */
export class Flight<E> {
  /** In the order of the numbers. */
  readonly #byTag = new Map<number, E>();
  #last = 0;

  get size(): number {
    return this.#byTag.size;
  }

  /** To be called after each publish on the channel. */
  add(entry: E): void {
    this.#last += 1;
    this.#byTag.set(this.#last, entry);
  }

  /**
   * Takes out what the broker answers for, and hands it to `each` in order. With `multiple` that is everything up to the
   * tag, and tag 0 stands for all.
   *
   * @throws Error for a tag that was never sent, or was answered before: the broker's word cannot be trusted any more
   */
  answer(tag: number, multiple: boolean, each: (entry: E) => void): void {
    if (multiple) {
      this.#answerUpTo(tag === 0 ? this.#last : tag, each);
      return;
    }
    const entry = this.#byTag.get(tag);
    if (entry === undefined) throw new Error(tagNotOutstanding(tag, false));
    this.#byTag.delete(tag);
    each(entry);
  }

  #answerUpTo(tag: number, each: (entry: E) => void): void {
    const [lowest] = this.#byTag.keys();
    if (tag > this.#last || lowest === undefined || lowest > tag) {
      throw new Error(tagNotOutstanding(tag, true));
    }
    for (const [sent, entry] of this.#byTag) {
      if (sent > tag) break;
      this.#byTag.delete(sent);
      each(entry);
    }
  }

  /** The first outstanding one that `holds`. */
  find(holds: (entry: E) => boolean): E | undefined {
    for (const entry of this.#byTag.values()) if (holds(entry)) return entry;
    return undefined;
  }

  /** Takes out all that is outstanding, in the order in which it was sent. */
  drain(): E[] {
    const entries = [...this.#byTag.values()];
    this.#byTag.clear();
    return entries;
  }
}
