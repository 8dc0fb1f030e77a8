import { Global, Inject, Module } from '@nestjs/common';
import type {
  OnApplicationBootstrap,
  OnApplicationShutdown,
  OnModuleDestroy,
  OnModuleInit,
} from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import type { ConnectionLifecycle } from './connection-lifecycle.js';
import { ConnectionRegistry } from './connection-registry.js';
import { ConsumerExplorer } from './consumer.explorer.js';
import { ConsumerRegistry } from './consumer.registry.js';
import { EnsureRetryExplorer } from './ensure-retry.explorer.js';
import { FAILOVER_OVERRIDES } from './failover.constants.js';
import type { FailoverOverrides } from './interfaces/failover-overrides.interface.js';
import { HandlerContexts } from './handler-contexts.js';

const noOverrides: FailoverOverrides = {
  options: (_name, given) => given,
  configured: () => undefined,
  closed: async () => undefined,
};

/**
 * What all connections of one app share. Nest makes one of it, however many `FailoverModule`s are imported, and calls its
 * hooks before those of the app's own modules at start, after them at the end.
 */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    ConnectionRegistry,
    ConsumerRegistry,
    HandlerContexts,
    ConsumerExplorer,
    EnsureRetryExplorer,
    { provide: FAILOVER_OVERRIDES, useValue: noOverrides },
  ],
  exports: [ConnectionRegistry, ConsumerRegistry, FAILOVER_OVERRIDES],
})
export class FailoverCoreModule
  implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown
{
  constructor(
    @Inject(ConnectionRegistry) private readonly registry: ConnectionRegistry,
    @Inject(EnsureRetryExplorer) private readonly ensureRetry: EnsureRetryExplorer,
    @Inject(ConsumerExplorer) private readonly consumers: ConsumerExplorer,
    @Inject(FAILOVER_OVERRIDES) private readonly overrides: FailoverOverrides,
  ) {}

  /** By now every provider exists, so all that is to be declared is known, and connecting can begin. */
  onModuleInit(): void {
    this.overrides.configured(this.registry.lifecycles.map(({ name }) => name));
    this.ensureRetry.explore();
    for (const { connection, entities } of this.registry.features) {
      this.registry.get(connection, 'FailoverModule.forFeature').declare(...entities);
    }
    this.consumers.explore();
    for (const lifecycle of this.registry.lifecycles) lifecycle.open();
  }

  async onApplicationBootstrap(): Promise<void> {
    try {
      await this.#all((lifecycle) => lifecycle.start());
    } catch (error) {
      await this.onModuleDestroy();
      await this.onApplicationShutdown();
      throw error;
    }
  }

  async onModuleDestroy(): Promise<void> {
    await this.#all((lifecycle) => lifecycle.stopConsumers());
  }

  /** Requests that were in flight have ended by now, so nobody needs to publish any more. */
  async onApplicationShutdown(): Promise<void> {
    await this.#all((lifecycle) => lifecycle.close());
    await this.overrides.closed();
  }

  async #all(step: (lifecycle: ConnectionLifecycle) => Promise<void>): Promise<void> {
    await Promise.all(this.registry.lifecycles.map(step));
  }
}
