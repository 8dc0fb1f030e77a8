/** The place of a value in a list. A value keeps its node for life, so that taking it out costs nothing. */
export class ListNode<T> {
  list: LinkedList<T> | undefined;
  previous: ListNode<T> | undefined;
  next: ListNode<T> | undefined;

  constructor(readonly value: T) {}

  /** Takes the value out of the list it is in, if any. */
  leave(): void {
    this.list?.remove(this);
  }
}

/** A doubly linked list: both ends, and taking out in the middle, in constant time. */
export class LinkedList<T> {
  #first: ListNode<T> | undefined;
  #last: ListNode<T> | undefined;
  #size = 0;

  get first(): T | undefined {
    return this.#first?.value;
  }

  get size(): number {
    return this.#size;
  }

  append(node: ListNode<T>): void {
    node.leave();
    node.list = this;
    node.previous = this.#last;
    if (this.#last === undefined) this.#first = node;
    else this.#last.next = node;
    this.#last = node;
    this.#size += 1;
  }

  prepend(node: ListNode<T>): void {
    node.leave();
    node.list = this;
    node.next = this.#first;
    if (this.#first === undefined) this.#last = node;
    else this.#first.previous = node;
    this.#first = node;
    this.#size += 1;
  }

  /** Puts values into a list that is in the same order as they are. Takes no longer than one walk over both. */
  merge(nodes: readonly ListNode<T>[], before: (one: T, other: T) => boolean): void {
    let previous = this.#last;
    for (const node of nodes.toReversed()) {
      // The common case: what comes back to the head of a line.
      if (this.#first !== undefined && before(node.value, this.#first.value)) previous = undefined;
      while (previous !== undefined && before(node.value, previous.value))
        ({ previous } = previous);
      this.#putAfter(previous, node);
    }
  }

  #putAfter(previous: ListNode<T> | undefined, node: ListNode<T>): void {
    if (previous === undefined) this.prepend(node);
    else if (previous.next === undefined) this.append(node);
    else {
      node.list = this;
      node.previous = previous;
      node.next = previous.next;
      previous.next.previous = node;
      previous.next = node;
      this.#size += 1;
    }
  }

  remove(node: ListNode<T>): void {
    if (node.list !== this) return;
    if (node.previous === undefined) this.#first = node.next;
    else node.previous.next = node.next;
    if (node.next === undefined) this.#last = node.previous;
    else node.next.previous = node.previous;
    node.list = undefined;
    node.previous = undefined;
    node.next = undefined;
    this.#size -= 1;
  }

  *[Symbol.iterator](): Iterator<T> {
    // The next one is read before the value is handed out, so that this one, and only this one, may be taken out meanwhile.
    for (let node = this.#first; node !== undefined;) {
      const { value, next }: ListNode<T> = node;
      yield value;
      node = next;
    }
  }
}
