import type { Broker } from '../amqp/broker.js';
import type { OptionCheck } from '../policy/check-options.js';
import {
  anything,
  callable,
  checkOptions,
  duration,
  either,
  flag,
  oneOf,
  share,
  text,
} from '../policy/check-options.js';
import type { FailoverStrategy } from '../policy/strategy.js';
import { failoverStrategies } from '../policy/strategy.js';
import type { BrokerUrlsSource } from './broker-source.js';
import type { FailoverLogger } from './logger.js';
import { consoleLogger, guardedLogger, silentLogger } from './logger.js';

/** How a connection fails over. Durations are milliseconds. */
export interface FailoverConnectionOptions {
  /**
   * The brokers: `'amqp://a;amqp://b'`, a list of strings or objects, or a function that gives one of these and is asked
   * again for each round.
   */
  readonly urls: BrokerUrlsSource;
  /** Which broker to try next. @default 'round-robin' */
  readonly failoverStrategy?: FailoverStrategy<Broker> | undefined;
  /** For each attempt as a whole: name lookup, TCP, TLS, handshake, first RPC. @default 5_000 */
  readonly connectTimeout?: number | undefined;
  /** The wait after the first round in which no broker could be connected to. @default 500 */
  readonly intervalStart?: number | undefined;
  /** What each further wait adds. @default 500 */
  readonly intervalStep?: number | undefined;
  /** No wait is longer, but for that of `refusedInterval`. @default 10_000 */
  readonly intervalMax?: number | undefined;
  /** The share of a wait, 0 to 1, that chance may take off it, or add to that of `refusedInterval`. @default 0.2 */
  readonly jitter?: number | undefined;
  /** A connection that is lost sooner counts as a failed attempt, so that a broker which drops us is backed off from. @default 30_000 */
  readonly livedAfter?: number | undefined;
  /** The least wait after a round in which every broker refused us (login, virtual host, limit). @default 10_000 */
  readonly refusedInterval?: number | undefined;
  /** A dead broker is noticed after two to three of these. At least 1,000; RabbitMQ's own unit, seconds, is for URLs. @default 5_000 */
  readonly heartbeat?: number | undefined;
  /** After this long without an answer an RPC fails and its channel is abandoned. @default 30_000 */
  readonly rpcTimeout?: number | undefined;
  /** For the closing handshake of a channel, and of the connection. @default 2_000 */
  readonly closeTimeout?: number | undefined;
  /** Shown by the management UI of the broker. @default the name of the process */
  readonly connectionName?: string | undefined;
  /**
   * All brokers are nodes of one cluster. After a failover, what was declared before is then only looked at, and bound only
   * where it is missing: while a node hangs, each binding and each new queue waits for about a minute on every node. Without
   * it the brokers' `cluster_name` tells, which `rabbitmqctl set_cluster_name` has to have set. @default false
   */
  readonly cluster?: boolean | undefined;
  /** Allows `amqp://` beside `amqps://`, which sends the password in clear to some brokers. @default false */
  readonly allowMixedSchemes?: boolean | undefined;
  /** Where failures and recoveries are told. False is silence. @default the console */
  readonly logger?: FailoverLogger | false | undefined;
}

/** The same with every default filled in, a logger that cannot throw, and no `urls`, which hold passwords. */
export type ResolvedConnectionOptions = {
  readonly [Key in Exclude<keyof FailoverConnectionOptions, 'logger' | 'urls'>]-?: Exclude<
    FailoverConnectionOptions[Key],
    undefined
  >;
} & { readonly logger: FailoverLogger };

const HEARTBEAT_FLOOR = 1_000;

const heartbeat: OptionCheck = {
  allowed:
    'a number of milliseconds, 1000 or more (a URL query takes seconds: `?heartbeat=5`); 0 would leave a dead broker unnoticed',
  accepts: duration(HEARTBEAT_FLOOR).accepts,
};

const loggerMethods = ['log', 'warn', 'error'] as const;

const logger: OptionCheck = {
  allowed: 'a logger with the methods log, warn and error',
  accepts: (value) =>
    typeof value === 'object' &&
    value !== null &&
    loggerMethods.every((name) => typeof (value as Partial<FailoverLogger>)[name] === 'function'),
};

export const connectionOptionChecks = {
  urls: anything,
  failoverStrategy: either(oneOf(...failoverStrategies), callable),
  connectTimeout: duration(1),
  intervalStart: duration(),
  intervalStep: duration(),
  intervalMax: duration(),
  jitter: share,
  livedAfter: duration(),
  refusedInterval: duration(),
  heartbeat,
  rpcTimeout: duration(1),
  closeTimeout: duration(1),
  connectionName: text,
  allowMixedSchemes: flag,
  cluster: flag,
  logger: either(oneOf(false), logger),
} as const;

const defaults = {
  failoverStrategy: 'round-robin',
  connectTimeout: 5_000,
  intervalStart: 500,
  intervalStep: 500,
  intervalMax: 10_000,
  jitter: 0.2,
  livedAfter: 30_000,
  refusedInterval: 10_000,
  heartbeat: 5_000,
  rpcTimeout: 30_000,
  closeTimeout: 2_000,
  connectionName: process.title,
  allowMixedSchemes: false,
  cluster: false,
} as const;

/** @throws ConfigurationError naming the option, its value and what is allowed */
export function resolveConnectionOptions(
  options: FailoverConnectionOptions,
): ResolvedConnectionOptions {
  checkOptions('FailoverConnection', options, connectionOptionChecks);
  const given = Object.fromEntries(
    Object.entries(options).filter(([key, value]) => value !== undefined && key !== 'urls'),
  ) as unknown as FailoverConnectionOptions;
  const { logger: told = consoleLogger } = given;
  return Object.freeze({
    ...defaults,
    ...given,
    logger: told === false ? silentLogger : guardedLogger(told),
  }) as ResolvedConnectionOptions;
}
