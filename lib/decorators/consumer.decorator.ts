import { Injectable } from '@nestjs/common';
import { CONSUMER_METADATA, DEFAULT_CONNECTION } from '../failover.constants.js';
import type { ConsumerDecoratorOptions } from '../interfaces/consumer-metadata.interface.js';

/**
 * Makes a class a consumer of queues; implies `@Injectable`. List it as a provider of any module: it consumes from
 * `onApplicationBootstrap` on, and stops in `onModuleDestroy`. Its handlers carry `@OnMessage()`. The hooks of
 * `ConsumerHooks` are optional methods of the class. A subclass needs a `@Consumer` of its own.
 */
export const Consumer =
  (options: ConsumerDecoratorOptions): ClassDecorator =>
  (target) => {
    const { scope } = options;
    Injectable(scope === undefined ? undefined : { scope })(target);
    const { connection = DEFAULT_CONNECTION, scope: _, ...rest } = options;
    Reflect.defineMetadata(CONSUMER_METADATA, { connection, options: rest }, target);
  };
