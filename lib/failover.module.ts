import { Module } from '@nestjs/common';
import type { DynamicModule, Provider } from '@nestjs/common';
import { ConnectionLifecycle } from './connection-lifecycle.js';
import { ConnectionRegistry } from './connection-registry.js';
import { ConfigurationError } from './errors.js';
import { FailoverCoreModule } from './failover-core.module.js';
import {
  DEFAULT_CONNECTION,
  FAILOVER_MODULE_OPTIONS,
  FAILOVER_OVERRIDES,
  RESOLVED_MODULE_OPTIONS,
} from './failover.constants.js';
import { asyncOptionsProviders } from './async-options.providers.js';
import { FailoverConnection } from './failover/failover-connection.js';
import { Producer } from './failover/producer.js';
import type { Entity } from './failover/topology.js';
import { getConnectionToken, getProducerToken } from './failover.tokens.js';
import type {
  FailoverModuleAsyncOptions,
  FailoverModuleExtras,
  FailoverModuleOptions,
  FailoverOptions,
} from './interfaces/failover-module-options.interface.js';
import type { FailoverOverrides } from './interfaces/failover-overrides.interface.js';
import type { ResolvedModuleOptions } from './module-options.js';
import { resolveModuleOptions } from './module-options.js';
import { noAsyncOptions, noOptions, notFailoverEntities } from './nest.messages.js';

/** Connections to RabbitMQ that fail over, a `Producer` for each, and the `@Consumer` classes of the app. */
@Module({})
export class FailoverModule {
  /**
   * One connection. Give each a `name` if there are several.
   *
   * @throws ConfigurationError without options
   */
  static forRoot(given: FailoverModuleOptions): DynamicModule {
    if (typeof given !== 'object' || given === null) {
      throw new ConfigurationError(noOptions(DEFAULT_CONNECTION, given));
    }
    const { name, isGlobal, ...options } = given;
    // Not a value, which would show its passwords to whoever prints the module.
    return connectionModule({ name, isGlobal }, [
      { provide: FAILOVER_MODULE_OPTIONS, useFactory: () => options },
    ]);
  }

  /**
   * The same with options that a factory makes; `name` and `isGlobal` stand beside the factory.
   *
   * @throws ConfigurationError when there is nothing that makes the options
   */
  static forRootAsync(options: FailoverModuleAsyncOptions): DynamicModule {
    if (typeof options !== 'object' || options === null) {
      throw new ConfigurationError(noAsyncOptions());
    }
    return {
      ...connectionModule(options, asyncOptionsProviders(options)),
      imports: [FailoverCoreModule, ...(options.imports ?? [])],
    };
  }

  /** Has exchanges and queues declared on every new connection of that name, beside those of `forRoot({ declare })`. */
  static forFeature(entities: readonly Entity[], name = DEFAULT_CONNECTION): DynamicModule {
    if (!Array.isArray(entities)) throw new ConfigurationError(notFailoverEntities(entities));
    const feature: Provider = {
      provide: 'FAILOVER_FEATURE',
      inject: [ConnectionRegistry],
      useFactory: (registry: ConnectionRegistry) =>
        registry.addFeature({ connection: name, entities }),
    };
    return { module: FailoverModule, imports: [FailoverCoreModule], providers: [feature] };
  }
}

function connectionModule(
  { name = DEFAULT_CONNECTION, isGlobal = true }: FailoverModuleExtras,
  optionsProviders: Provider[],
): DynamicModule {
  const connectionToken = getConnectionToken(name);
  const producerToken = getProducerToken(name);
  return {
    module: FailoverModule,
    global: isGlobal,
    imports: [FailoverCoreModule],
    providers: [
      ...optionsProviders,
      {
        provide: RESOLVED_MODULE_OPTIONS,
        inject: [FAILOVER_MODULE_OPTIONS, FAILOVER_OVERRIDES],
        useFactory: (options: FailoverOptions, overrides: FailoverOverrides) =>
          resolveModuleOptions(name, overrides.options(name, options)),
      },
      {
        provide: connectionToken,
        inject: [RESOLVED_MODULE_OPTIONS],
        useFactory: ({ connection }: ResolvedModuleOptions) => new FailoverConnection(connection),
      },
      {
        provide: producerToken,
        inject: [connectionToken, RESOLVED_MODULE_OPTIONS],
        useFactory: (connection: FailoverConnection, { producer }: ResolvedModuleOptions) =>
          new Producer(connection, producer),
      },
      {
        provide: ConnectionLifecycle,
        inject: [ConnectionRegistry, connectionToken, producerToken, RESOLVED_MODULE_OPTIONS],
        useFactory: (
          registry: ConnectionRegistry,
          connection: FailoverConnection,
          producer: Producer,
          options: ResolvedModuleOptions,
        ) => registry.add(new ConnectionLifecycle(name, connection, producer, options)),
      },
    ],
    exports: [connectionToken, producerToken],
  };
}
