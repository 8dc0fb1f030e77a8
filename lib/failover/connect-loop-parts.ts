import type { Transport } from '../amqp/transport.js';
import type { Clock } from '../policy/clock.js';
import type { Attempts } from './attempts.js';
import type { BrokerChoice } from './broker-choice.js';
import type { BrokerCursor } from './broker-cursor.js';
import type { ConnectionEvents } from './connection-events.js';
import type { ResolvedConnectionOptions } from './connection-options.js';
import type { Link } from './link.js';
import type { Listeners } from './listeners.js';

/** What the connect loop works with. */
export interface ConnectLoopParts {
  readonly options: ResolvedConnectionOptions;
  readonly choice: BrokerChoice;
  readonly cursor: BrokerCursor;
  readonly attempts: Attempts;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly listeners: Listeners<ConnectionEvents>;
  /** Told of each link before anybody else is. */
  readonly onLink: (link: Link) => void;
}
