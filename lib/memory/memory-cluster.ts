import type { MemoryBroker } from './memory-broker.js';
import type { UntilOptions } from './until.js';

/** The nodes of one cluster of memory brokers. */
export class MemoryCluster implements AsyncDisposable {
  constructor(readonly nodes: readonly MemoryBroker[]) {}

  /** A failover list of all nodes. */
  url(vhost?: string): string {
    return this.nodes.map((node) => node.url(vhost)).join(';');
  }

  /** As `MemoryBroker.until`. */
  async until(holds: () => boolean, options?: UntilOptions): Promise<void> {
    await this.nodes[0]?.until(holds, options);
  }

  /** Ends every node for good. Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
