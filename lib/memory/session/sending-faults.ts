import type { ControlledMethod } from '../faults.js';
import type { Session } from './session.js';

/** What the faults of a test do to the methods that a session sends. */
export class SendingFaults {
  #held: NodeJS.Timeout | undefined;

  constructor(private readonly session: Session) {}

  /** @returns whether the method is to be sent all the same */
  pass(method: Omit<ControlledMethod, 'connection'>): boolean {
    const { host, name: connection, output } = this.session;
    if (host.faults.none) return true;
    const action = host.faults.decide('broker', { ...method, connection });
    if (action === 'pass') return true;
    if (action === 'kill') host.kill();
    else if (action === 'reset') this.session.reset();
    else if (typeof action === 'object' && 'delay' in action) {
      output.hold();
      this.#held = setTimeout(() => output.release(), action.delay);
      this.#held.unref();
      return true;
    }
    return false;
  }

  end(): void {
    clearTimeout(this.#held);
  }
}
