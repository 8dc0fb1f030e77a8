import type { BrokerConnection } from '../amqp/transport.js';
import type { BrokerCursor } from './broker-cursor.js';
import type { ConnectionInfo } from './connection-parts.js';
import type { ResolvedConnectionOptions } from './connection-options.js';

/** What `FailoverConnection.info()` tells. */
export function connectionInfo(
  { connectionName, failoverStrategy: strategy }: ResolvedConnectionOptions,
  status: ConnectionInfo['status'],
  cursor: BrokerCursor,
  connection: BrokerConnection | undefined,
): ConnectionInfo {
  return {
    connectionName,
    status,
    broker: (connection?.broker ?? cursor.current)?.toString(),
    brokers: cursor.brokers.map(String),
    failoverStrategy: typeof strategy === 'function' ? strategy.name || 'custom' : strategy,
    blocked: connection?.blocked,
    server: connection?.serverProperties ?? {},
  };
}
