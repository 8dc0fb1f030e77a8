import { Logger } from '@nestjs/common';
import type { Exchange } from './amqp/exchange.js';
import type { Queue } from './amqp/queue.js';
import { ConfigurationError } from './errors.js';
import { DEFAULT_CONNECTION } from './failover.constants.js';
import type { FailoverConnectionOptions } from './failover/connection-options.js';
import { connectionOptionChecks } from './failover/connection-options.js';
import type { FailoverLogger } from './failover/logger.js';
import { silentLogger } from './failover/logger.js';
import type { ProducerOptions } from './failover/publish-options.js';
import { producerOptionChecks } from './failover/publish-options.js';
import type { FailoverOptions, Startup } from './interfaces/failover-module-options.interface.js';
import { moduleNamed, nameBesideFactory, noOptions } from './nest.messages.js';
import { anything, checkOptions, duration, listOf, oneOf } from './policy/check-options.js';

/** The options of one connection, checked, with every default filled in. */
export interface ResolvedModuleOptions {
  readonly connection: FailoverConnectionOptions & { readonly connectionName: string };
  /** The name of the clone that the consumers run on. */
  readonly consumerConnectionName: string;
  readonly producer: ProducerOptions;
  readonly declare: readonly (Exchange | Queue)[];
  readonly startup: Startup;
  readonly startupTimeout: number;
  readonly shutdownTimeout: number;
  readonly logger: FailoverLogger;
}

const checks = {
  ...connectionOptionChecks,
  startup: oneOf('wait', 'fail-fast', 'background'),
  startupTimeout: duration(1),
  shutdownTimeout: duration(1),
  declare: listOf('Exchange and Queue objects', (one) => typeof one === 'object' && one !== null),
  producer: anything,
} as const;

/** @throws ConfigurationError naming the option, its value and what is allowed */
export function resolveModuleOptions(name: string, given: FailoverOptions): ResolvedModuleOptions {
  if (typeof given !== 'object' || given === null) {
    throw new ConfigurationError(noOptions(name, given));
  }
  for (const extra of ['name', 'isGlobal']) {
    if (extra in given) throw new ConfigurationError(nameBesideFactory(extra));
  }
  checkOptions(moduleNamed(name), given, checks);
  const {
    startup = 'wait',
    startupTimeout = 30_000,
    shutdownTimeout = 25_000,
    declare = [],
    producer = {},
    logger: chosen = new Logger('Failover'),
    connectionName = process.env['npm_package_name'] ?? process.title,
    ...connection
  } = given;
  checkOptions(`${moduleNamed(name)}: producer`, producer, producerOptionChecks);
  const logger = chosen === false ? silentLogger : chosen;
  const role = (of: string): string =>
    `${connectionName} (${name === DEFAULT_CONNECTION ? of : `${name} ${of}`})`;
  return {
    connection: { ...connection, logger, connectionName: role('producer') },
    consumerConnectionName: role('consumer'),
    producer,
    declare,
    startup,
    startupTimeout,
    shutdownTimeout,
    logger,
  };
}
