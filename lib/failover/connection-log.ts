import {
  blockedLine,
  connectedLine,
  connectFailedLine,
  lostLine,
  refusedLine,
  unblockedLine,
} from '../failover.messages.js';
import type { ConnectionEvents } from './connection-events.js';
import type { Listeners } from './listeners.js';
import type { FailoverLogger } from './logger.js';

/**
 * Logs what a connection goes through: the first failure of a series as a warning, the rest for debugging only, the
 * recovery with the length of the outage.
 */
export function logConnection(
  listeners: Listeners<ConnectionEvents>,
  name: string,
  logger: FailoverLogger,
): void {
  let failing = false;
  const problem = (line: string): void => {
    if (failing) logger.debug?.(line);
    else logger.warn(line);
    failing = true;
  };
  listeners.on('lost', (event) => problem(lostLine(name, event)));
  listeners.on('failed', (event) => problem(connectFailedLine(name, event)));
  listeners.on('refused', ({ failures, interval }) =>
    logger.error(refusedLine(name, failures, interval)),
  );
  listeners.on('connected', ({ broker, outage }) => {
    failing = false;
    logger.log(connectedLine(name, broker, outage));
  });
  listeners.on('blocked', ({ broker, reason }) => {
    if (reason === undefined) logger.log(unblockedLine(name, broker));
    else logger.warn(blockedLine(name, broker, reason));
  });
}
