/** What a heap holds. The heap itself keeps `index`; `rank` must not change meanwhile. */
export interface Ranked {
  rank: number;
  index: number;
}

/** A binary heap, the lowest rank first. Adding, and taking out anything, takes logarithmic time. */
export class Heap<T extends Ranked> {
  readonly #items: T[] = [];

  get first(): T | undefined {
    return this.#items[0];
  }

  add(item: T): void {
    this.#items.push(item);
    this.#up(item, this.#items.length - 1);
  }

  /** To be called with what is in the heap. */
  remove(item: T): void {
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    const { index } = item;
    if (last.rank < item.rank) this.#up(last, index);
    else this.#down(last, index);
  }

  #up(item: T, from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = this.#items[parent];
      if (above === undefined || above.rank <= item.rank) break;
      this.#put(above, index);
      index = parent;
    }
    this.#put(item, index);
  }

  #down(item: T, from: number): void {
    let index = from;
    for (;;) {
      const left = this.#items[2 * index + 1];
      const right = this.#items[2 * index + 2];
      const child =
        right !== undefined && left !== undefined && right.rank < left.rank ? right : left;
      if (child === undefined || child.rank >= item.rank) break;
      const { index: next } = child;
      this.#put(child, index);
      index = next;
    }
    this.#put(item, index);
  }

  #put(item: T, index: number): void {
    this.#items[index] = item;
    item.index = index;
  }
}
