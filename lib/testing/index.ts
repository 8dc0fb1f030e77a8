export { MemoryBroker } from '../memory/memory-broker.js';
export type { MemoryBrokerOptions } from '../memory/memory-broker-options.js';
export type { QueueType } from '../memory/model/queue-arguments.js';
export { MemoryCluster } from '../memory/memory-cluster.js';
export type { MemoryUser } from '../memory/broker-store.js';
export type { NodeState } from '../memory/broker-node.js';
export type { ConnectionView, ConsumerView, QueueView } from '../memory/broker-views.js';
export type {
  ControlAction,
  ControlFunction,
  ControlledMethod,
  Direction,
  Fault,
} from '../memory/faults.js';
export { useMemoryBrokers } from './use-memory-brokers.js';
export type { MemoryBrokers, OverridesProviders } from './use-memory-brokers.js';
export type { UntilOptions } from '../memory/until.js';
export type { Fields, MethodName } from '../memory/wire/method-table.js';
