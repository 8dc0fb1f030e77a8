import type { MemoryBroker } from './memory-broker.js';

const KEY = Symbol.for('nestjs-failover.memory-brokers');

/**
 * The brokers of this process by name: what makes `memory://orders` the same broker wherever it is said. The one place where
 * the package keeps something for the whole process, since that is what the name means; two copies of the package share it.
 */
export const memoryBrokers: Map<string, MemoryBroker | Promise<MemoryBroker>> = ((
  globalThis as { [KEY]?: Map<string, MemoryBroker | Promise<MemoryBroker>> }
)[KEY] ??= new Map());
