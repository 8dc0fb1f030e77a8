import type { FailoverConnection } from 'nestjs-failover';

/** Prints what happens, with the seconds since the start. */
export class Timeline {
  readonly #start = performance.now();
  /** Connections that were lost and found again, with the milliseconds that took. */
  readonly failovers: number[] = [];

  tell(line: string): void {
    const seconds = ((performance.now() - this.#start) / 1_000).toFixed(2);
    console.log(`${seconds.padStart(7)} s  ${line}`);
  }

  watch(connection: FailoverConnection): void {
    connection.on('connected', ({ broker, outage }) => {
      if (outage === undefined) {
        this.tell(`connected to      ${broker}`);
        return;
      }
      this.failovers.push(outage);
      this.tell(`failed over to    ${broker} in ${Math.round(outage)} ms`);
    });
    connection.on('lost', ({ broker }) => this.tell(`lost              ${broker}`));
    connection.on('failed', ({ broker, interval }) =>
      this.tell(`could not reach   ${broker}, next try in ${Math.round(interval)} ms`),
    );
  }
}
