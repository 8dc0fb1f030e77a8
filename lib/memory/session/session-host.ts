import type { BrokerStore } from '../broker-store.js';
import type { Faults } from '../faults.js';
import type { FieldTable } from '../wire/field-value.js';
import type { ServerChannel } from './server-channel.js';
import type { Session } from './session.js';

/** What a connection asks its peer to agree to. */
export interface Limits {
  readonly channelMax: number;
  readonly frameMax: number;
  /** Seconds. */
  readonly heartbeat: number;
}

/** The node that a session is on. */
export interface SessionHost {
  readonly name: string;
  readonly store: BrokerStore;
  readonly limits: Limits;
  readonly serverProperties: FieldTable;
  readonly faults: Faults;
  /** Why publishers are blocked; undefined: they are not. */
  readonly blocked: string | undefined;
  /** Channels that wait for direct replies, by the token that ends their address. */
  readonly replies: Map<string, ServerChannel>;
  /** Dies. */
  kill(): void;
  /** Its socket is closed, and what it held is given back. */
  ended(session: Session): void;
}
