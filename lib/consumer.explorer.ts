import { Inject, Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import type { Queue } from './amqp/queue.js';
import { ConnectionRegistry } from './connection-registry.js';
import { consumerHooks, hookNames } from './consumer-hooks.js';
import { foreignQueue } from './consumer.messages.js';
import { decoratedMethods } from './decorated-methods.js';
import { ConfigurationError } from './errors.js';
import { CONSUMER_METADATA, ON_MESSAGE_METADATA } from './failover.constants.js';
import type {
  ConsumerDefinition,
  ConsumerOptions,
  Handler,
} from './failover/consumer-definition.js';
import type { Route, RouteCriterion } from './failover/message-routes.js';
import { routerOf } from './failover/message-routes.js';
import type { HandlerContext } from './handler-context.js';
import { HandlerContexts } from './handler-contexts.js';
import {
  consumerFactory,
  handlerWithoutConsumer,
  hooksNeedOneInstance,
  noHandler,
  noQueues,
} from './nest.messages.js';
import { optionRefused } from './option.messages.js';
import { flag } from './policy/check-options.js';
import { isSingleton, providerClass } from './provider-class.js';

interface ConsumerMetadata {
  readonly connection: string;
  readonly inheritAppConfig: boolean;
  readonly options: ConsumerOptions;
}

interface OnMessageMetadata {
  readonly criterion: RouteCriterion | undefined;
}

/** Finds the `@Consumer` classes among all providers, and hands each to the connection that it consumes from. */
@Injectable()
export class ConsumerExplorer {
  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(MetadataScanner) private readonly scanner: MetadataScanner,
    @Inject(ConnectionRegistry) private readonly registry: ConnectionRegistry,
    @Inject(HandlerContexts) private readonly context: HandlerContexts,
  ) {}

  /** @throws ConfigurationError naming class and method */
  explore(): void {
    const found = new Set<unknown>();
    for (const wrapper of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      const type = providerClass(wrapper);
      const consumer = type && this.#consumer(type, wrapper);
      if (consumer === undefined) continue;
      // One instance may be provided under several tokens.
      const identity: unknown = isSingleton(wrapper) ? wrapper.instance : wrapper;
      if (found.has(identity)) continue;
      found.add(identity);
      const { connection, definition } = consumer;
      this.registry.get(connection, `@Consumer class ${definition.name}`).consume(definition);
    }
  }

  #consumer(
    type: Function,
    wrapper: InstanceWrapper,
  ): { readonly connection: string; readonly definition: ConsumerDefinition } | undefined {
    const metadata = Reflect.getOwnMetadata(CONSUMER_METADATA, type) as
      ConsumerMetadata | undefined;
    const methods = decoratedMethods(this.scanner, type, ON_MESSAGE_METADATA);
    const { name } = type;
    if (metadata === undefined) {
      if (methods.length === 0) return undefined;
      throw new ConfigurationError(handlerWithoutConsumer(name, methods));
    }
    if (methods.length === 0) throw new ConfigurationError(noHandler(name));
    const { connection, options, inheritAppConfig } = metadata;
    if (typeof inheritAppConfig !== 'boolean') {
      const option = `${name}: inheritAppConfig`;
      throw new ConfigurationError(optionRefused(option, inheritAppConfig, flag.allowed));
    }
    if (!Array.isArray(options.queues) || options.queues.length === 0) {
      throw new ConfigurationError(noQueues(name, methods));
    }
    this.#refuseScopedHooks(type, wrapper);
    const context = this.context.of(inheritAppConfig);
    const routes = routesOf(context, type, wrapper, methods);
    refuseForeignQueues(name, options.queues, routes);
    const route = routerOf(name, routes);
    const hooks = isSingleton(wrapper) ? consumerHooks(wrapper.instance as object) : undefined;
    return { connection, definition: { ...options, name, route, hooks } };
  }

  #refuseScopedHooks(type: Function, wrapper: InstanceWrapper): void {
    if (isSingleton(wrapper)) return;
    const hooks = hookNames(type.prototype as object);
    if (hooks.length > 0) throw new ConfigurationError(hooksNeedOneInstance(type.name, hooks));
    if (wrapper.metatype !== type) throw new ConfigurationError(consumerFactory(type.name));
  }
}

/** @throws ConfigurationError when a handler waits for messages that never come */
function refuseForeignQueues(
  where: string,
  queues: readonly Queue[],
  routes: readonly Route<Handler>[],
): void {
  for (const { name, criterion } of routes) {
    if (criterion === undefined || !('queue' in criterion)) continue;
    const { queue } = criterion;
    const isOwn = queues.some(
      (own) => own === queue || (own.name !== '' && own.name === queue.name),
    );
    if (!isOwn) throw new ConfigurationError(foreignQueue(where, name, queue.name));
  }
}

const routesOf = (
  context: HandlerContext,
  type: Function,
  wrapper: InstanceWrapper,
  methods: readonly string[],
): readonly Route<Handler>[] =>
  methods.map((method) => {
    const marked = (type.prototype as Record<string, object>)[method] as object;
    const { criterion } = Reflect.getMetadata(ON_MESSAGE_METADATA, marked) as OnMessageMetadata;
    return { name: method, criterion, handler: context.handler(wrapper, type, method) };
  });
