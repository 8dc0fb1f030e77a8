import type { MemoryClock } from './clock.js';
import { VirtualHost } from './model/virtual-host.js';

/** Who may log in. */
export interface MemoryUser {
  readonly username: string;
  readonly password: string;
  /** The virtual hosts it may open. @default all */
  readonly vhosts?: readonly string[] | undefined;
}

/** What outlives the connections of a broker, and what all nodes of a cluster share. */
export class BrokerStore {
  readonly vhosts = new Map<string, VirtualHost>();
  readonly users = new Map<string, MemoryUser>();
  /** The nodes that run. */
  readonly running = new Set<object>();
  /** Told of each change. */
  readonly listeners = new Set<() => void>();

  constructor(
    readonly clusterName: string,
    readonly clock: MemoryClock,
  ) {}

  readonly changed = (): void => {
    for (const listener of this.listeners) listener();
  };

  addVhost(name: string): void {
    if (this.vhosts.has(name)) return;
    this.vhosts.set(name, new VirtualHost(name, this.clock, this.changed));
  }

  /** It is over: nothing that is declared goes on. */
  clear(): void {
    for (const vhost of this.vhosts.values()) {
      for (const queue of vhost.queues.values()) vhost.removeQueue(queue);
    }
  }

  nodeUp(node: object): void {
    this.running.add(node);
  }

  /** Its connections have ended before. What is on this node alone and not on its disk is gone. */
  nodeDown(node: object): void {
    this.running.delete(node);
    for (const vhost of this.vhosts.values()) {
      for (const queue of vhost.queues.values()) {
        if (queue.declaration.home !== node || queue.isReplicated) continue;
        if (queue.declaration.durable) queue.restart();
        else vhost.removeQueue(queue);
      }
      if (this.running.size === 0) vhost.forgetTransientExchanges();
    }
    this.changed();
  }
}
