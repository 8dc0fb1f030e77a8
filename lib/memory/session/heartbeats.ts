/** Sends heartbeats, and notices when a peer has fallen silent. */
export class Heartbeats {
  #received = false;
  #silences = 0;
  readonly #timers: NodeJS.Timeout[] = [];

  /** @param interval milliseconds; 0: none */
  constructor(
    interval: number,
    events: { readonly send: () => void; readonly silent: () => void },
  ) {
    if (interval === 0) return;
    const sending = setInterval(events.send, interval / 2);
    // As RabbitMQ: two checks in a row without a byte, so two to three intervals.
    const checking = setInterval(() => {
      this.#silences = this.#received ? 0 : this.#silences + 1;
      this.#received = false;
      if (this.#silences >= 2) events.silent();
    }, interval);
    this.#timers.push(sending, checking);
    for (const timer of this.#timers) timer.unref();
  }

  received(): void {
    this.#received = true;
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }
}
