/** Until when a client has to do what is expected of it. Keeps no process alive. */
export class Deadline {
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly missed: () => void) {}

  set(milliseconds: number): void {
    this.clear();
    this.#timer = setTimeout(this.missed, milliseconds);
    this.#timer.unref();
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
