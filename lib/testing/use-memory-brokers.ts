import { FAILOVER_OVERRIDES } from '../failover.constants.js';
import type { FailoverOptions } from '../interfaces/failover-module-options.interface.js';
import type { FailoverOverrides } from '../interfaces/failover-overrides.interface.js';
import { MemoryBroker } from '../memory/memory-broker.js';
import { MemoryCluster } from '../memory/memory-cluster.js';

/** The part of the builder of `@nestjs/testing` that is needed. */
export interface OverridesProviders {
  overrideProvider(token: unknown): { useValue(value: unknown): unknown };
}

/** Memory brokers, one, a cluster or several independent ones. */
export type MemoryBrokers = MemoryBroker | MemoryCluster | readonly MemoryBroker[];

/**
 * Points the connections of a module under test at memory brokers, whatever URLs it is configured with; all other options
 * stay. The brokers are closed with the app, after its connections.
 *
 * @param brokers for all connections, or by the name of the connection; those without an entry keep their URLs. A name that
 * no connection has is an error when the app starts
 * @returns the builder
 */
export function useMemoryBrokers<Builder extends OverridesProviders>(
  builder: Builder,
  brokers: MemoryBrokers | Readonly<Record<string, MemoryBrokers>>,
): Builder {
  const nodesFor = (connection: string): readonly MemoryBroker[] => {
    if (isMemoryBrokers(brokers)) return nodesOf(brokers);
    const own = Object.hasOwn(brokers, connection) ? brokers[connection] : undefined;
    return own === undefined ? [] : nodesOf(own);
  };
  const overrides: FailoverOverrides = {
    options: (connection, given): FailoverOptions => {
      const nodes = nodesFor(connection);
      if (nodes.length === 0) return given;
      return { ...given, urls: nodes.map((node) => node.url()) };
    },
    configured: (names) => {
      if (isMemoryBrokers(brokers)) return;
      const unknown = Object.keys(brokers).find((name) => !names.includes(name));
      if (unknown === undefined) return;
      throw new Error(
        `useMemoryBrokers: there is no connection "${unknown}". Known: ${names.join(', ')}.`,
      );
    },
    closed: async () => {
      const all = isMemoryBrokers(brokers) ? [brokers] : Object.values(brokers);
      await Promise.all(all.flatMap(nodesOf).map((node) => node.close()));
    },
  };
  builder.overrideProvider(FAILOVER_OVERRIDES).useValue(overrides);
  return builder;
}

const isMemoryBrokers = (
  brokers: MemoryBrokers | Readonly<Record<string, MemoryBrokers>>,
): brokers is MemoryBrokers =>
  brokers instanceof MemoryBroker || brokers instanceof MemoryCluster || Array.isArray(brokers);

function nodesOf(brokers: MemoryBrokers): readonly MemoryBroker[] {
  if (brokers instanceof MemoryBroker) return [brokers];
  return brokers instanceof MemoryCluster ? brokers.nodes : brokers;
}
