import type { Provider } from '@nestjs/common';
import { ConfigurationError } from './errors.js';
import { FAILOVER_MODULE_OPTIONS } from './failover.constants.js';
import type {
  FailoverModuleAsyncOptions,
  FailoverOptionsFactory,
} from './interfaces/failover-module-options.interface.js';
import { noAsyncOptions } from './nest.messages.js';

const provide = FAILOVER_MODULE_OPTIONS;

/** @throws ConfigurationError when there is nothing that makes the options */
export function asyncOptionsProviders(options: FailoverModuleAsyncOptions): Provider[] {
  const { useFactory, inject = [], useClass, useExisting, extraProviders = [] } = options;
  if (useFactory !== undefined) {
    return [...extraProviders, { provide, inject, useFactory: useFactory as () => unknown }];
  }
  const factory = useExisting ?? useClass;
  if (factory === undefined) throw new ConfigurationError(noAsyncOptions());
  const fromFactory: Provider = {
    provide,
    inject: [factory],
    useFactory: (made: FailoverOptionsFactory) => made.createFailoverOptions(),
  };
  const own: Provider[] = useClass === undefined ? [] : [useClass];
  return [...extraProviders, ...own, fromFactory];
}
