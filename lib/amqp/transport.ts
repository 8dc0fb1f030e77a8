import type { AmqpError } from '../errors.js';
import type { Broker } from './broker.js';
import type { Channel, ConfirmChannel } from './channel.js';

/** How one attempt to connect, and the connection it gives, behave. Durations are milliseconds. */
export interface ConnectOptions {
  /** Ends the attempt as a whole: name lookup, TCP, TLS, handshake and first RPC. */
  readonly connectTimeout: number;
  /** Ends the attempt early. Has no effect on an open connection. */
  readonly signal: AbortSignal;
  /** The heartbeat to ask for, unless the broker's own address says otherwise. */
  readonly heartbeat: number;
  /** After this long without its answer, an RPC is given up and its channel abandoned, as its replies are out of step. */
  readonly rpcTimeout: number;
  /** For the closing handshake of a channel or connection, before it is destroyed instead. */
  readonly closeTimeout: number;
  /** Shown by the broker's management UI. */
  readonly connectionName: string;
}

/** What a broker says of itself when a connection opens. */
export interface ServerProperties {
  readonly product?: string | undefined;
  readonly version?: string | undefined;
  /** The same for all nodes of a cluster. */
  readonly clusterName?: string | undefined;
}

/**
 * One open connection to one broker. It is never repaired: when it is lost, everything that was made from it is dead, and
 * another one takes its place.
 */
export interface BrokerConnection {
  readonly broker: Broker;
  readonly serverProperties: ServerProperties;
  /** Bytes: the largest frame that both sides have agreed to. */
  readonly frameMax: number;
  /** Why the connection ended; undefined while it lives. Set before any listener or promise tells of it. */
  readonly loss: AmqpError | undefined;
  /** The broker's reason while it blocks publishers (`connection.blocked`), else undefined. */
  readonly blocked: string | undefined;
  /** Calls `listener` once when the connection ends, for whatever reason, own `close()` included; at once if it has ended. */
  onEnd(listener: (loss: AmqpError) => void): void;
  /** Calls `listener` with each change of `blocked`. */
  onBlocked(listener: (reason: string | undefined) => void): void;
  /** Opens a channel. Rejects with an `AmqpError`. */
  openChannel(): Promise<Channel>;
  /** Opens a channel in confirm mode. Rejects with an `AmqpError`. */
  openConfirmChannel(): Promise<ConfirmChannel>;
  /** Closes by handshake, within `closeTimeout`, and destroys what is left. Never rejects. */
  close(): Promise<void>;
  /** Drops the connection without a handshake. Its socket is gone when this returns. */
  destroy(reason: Error): void;
}

/** The seam between failover and AMQP. There is one implementation, over amqplib; tests give their own. */
export interface Transport {
  /**
   * Connects to one broker. The connection counts as open only after a first RPC has succeeded.
   *
   * @throws ConnectError saying why, within `connectTimeout`
   */
  connect(broker: Broker, options: ConnectOptions): Promise<BrokerConnection>;
}
