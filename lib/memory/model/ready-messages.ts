import type { QueuedMessage } from './queued-message.js';
import { ReadyLine } from './ready-line.js';
import type { ReturnPlace } from './ready-line.js';

/** The ready messages of a queue: a line for each priority, the highest first. */
export class ReadyMessages {
  /** Index 0 is the highest priority. */
  readonly #lines: readonly ReadyLine[];
  #size = 0;
  #bytes = 0;

  constructor(private readonly maxPriority: number) {
    this.#lines = Array.from({ length: maxPriority + 1 }, () => new ReadyLine());
  }

  get size(): number {
    return this.#size;
  }

  /** Of the bodies. */
  get bytes(): number {
    return this.#bytes;
  }

  get first(): QueuedMessage | undefined {
    return this.#fullLine()?.first;
  }

  append(message: QueuedMessage): void {
    this.#count(message, 1);
    this.#lineOf(message).append(message);
  }

  giveBack(messages: readonly QueuedMessage[], place: ReturnPlace): void {
    for (const message of messages) this.#count(message, 1);
    for (const line of this.#lines) {
      const own = messages.filter((message) => this.#lineOf(message) === line);
      if (own.length > 0) line.giveBack(own, place);
    }
  }

  shift(): QueuedMessage | undefined {
    return this.#taken(this.#fullLine());
  }

  /** Takes what has expired at the head of each line; behind a message that stays nothing is looked at, as in RabbitMQ. */
  takeExpired(now: number): QueuedMessage[] {
    const expired: QueuedMessage[] = [];
    for (const line of this.#lines) {
      for (let { first } = line; first !== undefined; { first } = line) {
        if (first.expiresAt === undefined || first.expiresAt > now) break;
        this.#taken(line);
        expired.push(first);
      }
    }
    return expired;
  }

  /** When the first of the heads expires. */
  get nextExpiry(): number | undefined {
    let next: number | undefined;
    for (const { first } of this.#lines) {
      const expiresAt = first?.expiresAt;
      if (expiresAt !== undefined && (next === undefined || expiresAt < next)) next = expiresAt;
    }
    return next;
  }

  clear(): number {
    const size = this.#size;
    for (const line of this.#lines) line.clear();
    this.#size = 0;
    this.#bytes = 0;
    return size;
  }

  filter(holds: (message: QueuedMessage) => boolean): void {
    for (const line of this.#lines) line.filter(holds);
    this.#size = 0;
    this.#bytes = 0;
    for (const line of this.#lines) for (const message of line) this.#count(message, 1);
  }

  #fullLine(): ReadyLine | undefined {
    if (this.#size === 0) return undefined;
    return this.#lines.find(({ size }) => size > 0);
  }

  #lineOf({ priority }: QueuedMessage): ReadyLine {
    return this.#lines[this.maxPriority - priority] as ReadyLine;
  }

  #taken(line: ReadyLine | undefined): QueuedMessage | undefined {
    const message = line?.shift();
    if (message !== undefined) this.#count(message, -1);
    return message;
  }

  #count({ message }: QueuedMessage, by: 1 | -1): void {
    this.#size += by;
    this.#bytes += by * message.body.length;
  }
}
