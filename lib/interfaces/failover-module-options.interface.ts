import type {
  InjectionToken,
  LoggerService,
  ModuleMetadata,
  OptionalFactoryDependency,
  Provider,
  Type,
} from '@nestjs/common';
import type { Exchange } from '../amqp/exchange.js';
import type { Queue } from '../amqp/queue.js';
import type { FailoverConnectionOptions } from '../failover/connection-options.js';
import type { FailoverLogger } from '../failover/logger.js';
import type { ProducerOptions } from '../failover/publish-options.js';

/**
 * What bootstrap does about connection, topology and consumers.
 *
 * - `wait`: it waits until all of them are up, for at most `startupTimeout`, and fails otherwise; at once when a queue or
 *   exchange exists with other arguments (406)
 * - `fail-fast`: each broker is tried once, and so is each consumer's start; when one fails, it fails at once
 * - `background`: it waits for nothing; failures are logged, and whatever was refused is tried again for ever
 */
export type Startup = 'wait' | 'fail-fast' | 'background';

/** One connection of an app, its producer and its consumers. Durations are milliseconds. */
export interface FailoverOptions extends Omit<FailoverConnectionOptions, 'logger'> {
  /** @default 'wait' */
  readonly startup?: Startup | undefined;
  /** The longest that bootstrap waits, with `wait` and `fail-fast`. @default 30_000 */
  readonly startupTimeout?: number | undefined;
  /** For the whole shutdown, from the first hook on; the last 2,000 of it are kept for flushing. @default 25_000 */
  readonly shutdownTimeout?: number | undefined;
  /** Exchanges and queues to be declared on every new connection, beside those of the consumers. */
  readonly declare?: readonly (Exchange | Queue)[] | undefined;
  readonly producer?: ProducerOptions | undefined;
  /** False is silence. @default Nest's `Logger` with the context `Failover` */
  readonly logger?: LoggerService | FailoverLogger | false | undefined;
  /**
   * Shown by the management UI of the broker, followed by the role: `orders (producer)`, `orders (consumer)`.
   *
   * @default the name of the npm package that is run, or of the process
   */
  readonly connectionName?: string | undefined;
}

/** What stands beside the options, since it must be known before they are. */
export interface FailoverModuleExtras {
  /** Tells several connections of one app apart; see `@InjectConnection(name)`. */
  readonly name?: string | undefined;
  /** Every module can inject the connection and its producer. @default true */
  readonly isGlobal?: boolean | undefined;
}

/** What `FailoverModule.forRoot` takes. */
export interface FailoverModuleOptions extends FailoverOptions, FailoverModuleExtras {}

/** A class that makes the options, for `useClass` and `useExisting`. */
export interface FailoverOptionsFactory {
  createFailoverOptions(): FailoverOptions | Promise<FailoverOptions>;
}

/** What `FailoverModule.forRootAsync` takes: one of `useFactory`, `useClass` and `useExisting`. */
export interface FailoverModuleAsyncOptions
  extends FailoverModuleExtras, Pick<ModuleMetadata, 'imports'> {
  readonly useFactory?: (...args: never[]) => FailoverOptions | Promise<FailoverOptions>;
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[];
  readonly useClass?: Type<FailoverOptionsFactory>;
  readonly useExisting?: InjectionToken<FailoverOptionsFactory>;
  /** Providers that the factory needs, for this module alone. */
  readonly extraProviders?: Provider[];
}
