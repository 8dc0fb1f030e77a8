import { Injectable } from '@nestjs/common';
import type { ConnectionLifecycle } from './connection-lifecycle.js';
import { ConfigurationError } from './errors.js';
import type { Entity } from './failover/topology.js';
import { duplicateConnection, unknownConnection } from './nest.messages.js';

/** What `forFeature` asks to have declared. */
export interface Feature {
  readonly connection: string;
  readonly entities: readonly Entity[];
}

/** The connections of one app, by name, and what its modules ask of them. */
@Injectable()
export class ConnectionRegistry {
  readonly #lifecycles = new Map<string, ConnectionLifecycle>();
  readonly #features: Feature[] = [];

  get lifecycles(): readonly ConnectionLifecycle[] {
    return [...this.#lifecycles.values()];
  }

  get features(): readonly Feature[] {
    return this.#features;
  }

  /** @throws ConfigurationError if there is one of that name */
  add(lifecycle: ConnectionLifecycle): ConnectionLifecycle {
    const { name } = lifecycle;
    if (this.#lifecycles.has(name)) throw new ConfigurationError(duplicateConnection(name));
    this.#lifecycles.set(name, lifecycle);
    return lifecycle;
  }

  addFeature(feature: Feature): Feature {
    this.#features.push(feature);
    return feature;
  }

  /**
   * @param where who asks, for the error
   * @throws ConfigurationError that lists the names there are
   */
  get(name: string, where: string): ConnectionLifecycle {
    const lifecycle = this.#lifecycles.get(name);
    if (lifecycle === undefined) {
      throw new ConfigurationError(unknownConnection(name, where, [...this.#lifecycles.keys()]));
    }
    return lifecycle;
  }
}
