import { AmqplibTransport } from '../amqp/amqplib.transport.js';
import { isTopologyError } from '../errors.js';
import { listenerFailed } from '../failover.messages.js';
import type { Random } from '../policy/clock.js';
import { Attempts } from './attempts.js';
import { BrokerChoice } from './broker-choice.js';
import { BrokerCursor } from './broker-cursor.js';
import type { BrokerUrlsSource } from './broker-source.js';
import { BrokerSource } from './broker-source.js';
import { systemClock } from './clock.js';
import { ConnectLoop } from './connect-loop.js';
import type { ConnectionEvents } from './connection-events.js';
import { logConnection } from './connection-log.js';
import type { FailoverConnectionOptions, ResolvedConnectionOptions } from './connection-options.js';
import { resolveConnectionOptions } from './connection-options.js';
import type { ConnectionFamily, ConnectionParts, ConnectionSeams } from './connection-parts.js';
import type { EnsureParts } from './ensure.js';
import type { Link } from './link.js';
import { Listeners } from './listeners.js';
import type { FailoverLogger } from './logger.js';
import { judge } from './operation-failure.js';
import { Topology } from './topology.js';

/** What a `FailoverConnection` is made of. */
export interface ConnectionCore extends ConnectionParts, EnsureParts {
  readonly seams: Required<ConnectionSeams>;
  readonly family: ConnectionFamily;
}

function found(
  urls: BrokerUrlsSource,
  { failoverStrategy, allowMixedSchemes, cluster, logger }: ResolvedConnectionOptions,
  random: Random,
  warn: (error: Error) => void,
): ConnectionFamily {
  const source = new BrokerSource(urls, { allowMixedSchemes });
  const cursor = new BrokerCursor(failoverStrategy, random, warn);
  if (source.fixed !== undefined) cursor.renew(source.fixed);
  return {
    source,
    cursor,
    topology: new Topology({ cluster, warn: (message) => logger.warn(message) }),
  };
}

/** An operation that is run again finds its queues on an empty broker too. What is refused is told; it may not need that. */
async function declaredOn(link: Link, topology: Topology, logger: FailoverLogger): Promise<void> {
  try {
    await topology.declareOn(link);
  } catch (error) {
    if (!isTopologyError(error)) throw error;
    logger.warn(error.message);
  }
}

/** @throws ConfigurationError when an option or a URL is refused */
export function connectionCore(
  given: FailoverConnectionOptions,
  { clock = systemClock, random = Math.random, transport: talks }: ConnectionSeams,
  sibling?: ConnectionFamily,
): ConnectionCore {
  const options = resolveConnectionOptions(given);
  const { logger, connectTimeout } = options;
  const onListenerError = (error: unknown, name: string): void =>
    logger.error(listenerFailed(name), error);
  const warn = (error: Error): void => logger.warn(error.message);
  const transport = talks ?? new AmqplibTransport({ clock, onListenerError });
  const listeners = new Listeners<ConnectionEvents>(onListenerError);
  const family = sibling ?? found(given.urls, options, random, warn);
  const { source, cursor, topology } = family;
  // Every connection this one ever had, to tell its faults from those of others.
  const ours = new WeakSet<object>();
  const loop = new ConnectLoop({
    options,
    choice: new BrokerChoice({ source, cursor, clock, connectTimeout, warn }),
    cursor,
    attempts: new Attempts(options, random, cursor),
    transport,
    clock,
    listeners,
    onLink: ({ connection }) => ours.add(connection),
  });
  logConnection(listeners, options.connectionName, logger);
  return {
    seams: { clock, transport, random },
    family,
    clock,
    transport,
    random,
    options,
    logger,
    loop,
    topology,
    listeners,
    judge: (error) => judge(error, loop.link, ours),
    ended: loop.ended,
    link: async (patience) => {
      const link = await loop.wait({ ...patience, bearsRefusal: true });
      await declaredOn(link, topology, logger);
      return link;
    },
    onCallbackError: onListenerError,
  };
}
