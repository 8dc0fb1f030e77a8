import { Inject, Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { ConnectionRegistry } from './connection-registry.js';
import { decoratedMethods } from './decorated-methods.js';
import { retryChannels } from './decorators/retry-channel.decorator.js';
import type { EnsuredMethod } from './ensured-method.js';
import { ConfigurationError } from './errors.js';
import { ENSURE_RETRY_METADATA } from './failover.constants.js';
import { connectionOf, giveConnection } from './injected-connection.js';
import { channelNotAsked, returnsNeither } from './nest.messages.js';
import { isSingleton, providerClass } from './provider-class.js';

/** What a compiler emits for methods that certainly return neither a promise nor an Observable. */
const values: ReadonlySet<unknown> = new Set([String, Number, Boolean, Array, BigInt, Symbol]);

/** Checks the methods under `@EnsureRetry`, and gives the connection to instances that Nest did not make. */
@Injectable()
export class EnsureRetryExplorer {
  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(MetadataScanner) private readonly scanner: MetadataScanner,
    @Inject(ConnectionRegistry) private readonly registry: ConnectionRegistry,
  ) {}

  /** @throws ConfigurationError naming class and method */
  explore(): void {
    for (const wrapper of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      const type = providerClass(wrapper);
      if (type !== undefined) this.#exploreClass(type, wrapper);
    }
  }

  #exploreClass(type: Function, wrapper: InstanceWrapper): void {
    const prototype = type.prototype as Record<string, object> | undefined;
    for (const name of decoratedMethods(this.scanner, type, ENSURE_RETRY_METADATA)) {
      const method = Reflect.getMetadata(
        ENSURE_RETRY_METADATA,
        prototype?.[name] as object,
      ) as EnsuredMethod;
      const { where, returns } = method;
      if (values.has(returns)) {
        throw new ConfigurationError(returnsNeither(where, `a ${(returns as Function).name}`));
      }
      const { connection } = this.registry.get(method.connection, where);
      const instance: unknown = isSingleton(wrapper) ? wrapper.instance : undefined;
      if (
        typeof instance === 'object' &&
        instance !== null &&
        !connectionOf(instance, method.connection)
      ) {
        giveConnection(instance, method.connection, connection);
      }
    }
    this.#refuseIdleChannels(type);
  }

  /** A method that decorates a parameter but not itself would hand the caller an error about it only when called. */
  #refuseIdleChannels(type: Function): void {
    const prototype: unknown = type.prototype;
    if (typeof prototype !== 'object' || prototype === null) return;
    for (const name of this.scanner.getAllMethodNames(prototype)) {
      const method = (prototype as Record<string, object>)[name] as object;
      if (
        retryChannels(prototype, name).length > 0 &&
        !Reflect.hasMetadata(ENSURE_RETRY_METADATA, method)
      ) {
        throw new ConfigurationError(channelNotAsked(`${type.name}.${name}`));
      }
    }
  }
}
