import type { Session } from './session.js';

/** Tells a client that publishers are blocked, when it publishes, and that they are no more. */
export class PublisherBlock {
  #told = false;

  constructor(private readonly session: Session) {}

  /** It publishes. @returns whether it is blocked by that */
  begin(): boolean {
    const { host, client } = this.session;
    if (host.blocked === undefined) return false;
    this.#told = client.hearsBlocked;
    if (this.#told) this.session.send(0, 'connection.blocked', { reason: host.blocked });
    return true;
  }

  lift(): void {
    if (this.#told) this.session.send(0, 'connection.unblocked', {});
    this.#told = false;
  }
}
