import type { Transport } from '../amqp/transport.js';
import type { Clock, Random } from '../policy/clock.js';
import type { ConnectionState } from '../policy/connection-state.js';
import type { BrokerCursor } from './broker-cursor.js';
import type { BrokerSource } from './broker-source.js';
import type { ConnectLoop } from './connect-loop.js';
import type { ConnectionEvents } from './connection-events.js';
import type { ResolvedConnectionOptions } from './connection-options.js';
import type { ErrbackEvent } from './ensure-options.js';
import type { FailoverLogger } from './logger.js';
import type { Listeners } from './listeners.js';
import type { OperationFailure } from './operation-failure.js';
import type { PatienceOptions } from './patience.js';
import type { Topology } from './topology.js';

/** The seams of a connection, for tests: what talks AMQP, what tells the time, what throws the dice. */
export interface ConnectionSeams {
  readonly transport?: Transport;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** What one caller of `ensureConnection` is ready to bear. Durations are milliseconds. */
export interface EnsureConnectionOptions extends PatienceOptions {
  /** Failed rounds after the first; each broker is tried at least once. Without it there is no limit. */
  readonly maxRetries?: number | undefined;
  /** Told of each failed dial meanwhile. What it throws is logged, nothing else. */
  readonly errback?: ((event: ErrbackEvent) => unknown) | undefined;
}

/** What `info()` tells: everything but secrets. */
export interface ConnectionInfo {
  readonly connectionName: string;
  readonly status: ConnectionView['status'];
  readonly broker: string | undefined;
  readonly brokers: readonly string[];
  readonly failoverStrategy: string;
  readonly blocked: string | undefined;
  readonly server: {
    readonly product?: string | undefined;
    readonly version?: string | undefined;
    readonly clusterName?: string | undefined;
  };
}

/** What a connection shares with its clones. */
export interface ConnectionFamily {
  readonly source: BrokerSource;
  readonly cursor: BrokerCursor;
  readonly topology: Topology;
}

type WithoutLink<State> = State extends unknown ? Omit<State, 'link'> : never;

/** Where a connection stands, as its users see it. */
export type ConnectionView = WithoutLink<ConnectionState>;

/** What producers and consumers work with. */
export interface ConnectionParts extends Required<ConnectionSeams> {
  readonly options: ResolvedConnectionOptions;
  readonly logger: FailoverLogger;
  readonly loop: ConnectLoop;
  readonly topology: Topology;
  readonly listeners: Listeners<ConnectionEvents>;
  readonly judge: (error: unknown) => OperationFailure;
}
