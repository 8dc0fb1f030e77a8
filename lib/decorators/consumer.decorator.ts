import { Injectable } from '@nestjs/common';
import { ConfigurationError } from '../errors.js';
import { CONSUMER_METADATA, DEFAULT_CONNECTION } from '../failover.constants.js';
import { injectConsumerConnection } from '../injected-connection.js';
import type { ConsumerDecoratorOptions } from '../interfaces/consumer-metadata.interface.js';
import { noConsumerOptions } from '../nest.messages.js';

/**
 * Makes a class a consumer of queues; implies `@Injectable`. List it as a provider of any module: it consumes from
 * `onApplicationBootstrap` on, and stops in `onModuleDestroy`. Its handlers carry `@OnMessage()`. The hooks of
 * `ConsumerHooks` are optional methods of the class. A subclass needs a `@Consumer` of its own.
 *
 * Nest injects the connection into it, so an app that lacks the connection is refused at start. A unit test of the class may
 * provide anything under `getConnectionToken(name)`, or make the instance itself.
 *
 * @throws ConfigurationError when the class is defined, without options
 */
export const Consumer =
  (options: ConsumerDecoratorOptions): ClassDecorator =>
  (target) => {
    if (typeof options !== 'object' || options === null) {
      throw new ConfigurationError(noConsumerOptions(target.name, options));
    }
    const { scope } = options;
    Injectable(scope === undefined ? undefined : { scope })(target);
    const {
      connection = DEFAULT_CONNECTION,
      inheritAppConfig = false,
      scope: _scope,
      ...rest
    } = options;
    injectConsumerConnection(target, connection);
    const metadata = { connection, inheritAppConfig, options: rest };
    Reflect.defineMetadata(CONSUMER_METADATA, metadata, target);
  };
