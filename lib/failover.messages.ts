import type { BrokerFailure } from './errors.js';
import { shown } from './option.messages.js';
import { listed, ms, reasonOf, sentenceOf, times } from './phrases.js';

export const strategyFailed = (reason: string): string =>
  `Option "failoverStrategy" does not work: ${reason}. The brokers are tried in the order of the list from now on.`;

export const urlsFailed = (reason: string): string =>
  `Option "urls" is a function and did not give a list of brokers: ${reason}.`;

export const allRefused = (failures: readonly BrokerFailure[]): string =>
  `Every broker refused the connection. Check user, password, virtual host and connection limits.${listed(failures)}`;

export const cannotConnect = (attempts: number, failures: readonly BrokerFailure[]): string =>
  `No broker could be connected to (tried ${times(attempts)}). Check that one of them runs and can be reached from here.${listed(failures)}`;

export const connectTimedOut = (timeout: number, failures: readonly BrokerFailure[]): string =>
  `Not connected to any broker within ${timeout} ms.${
    failures.length === 0 ? '' : ` The last failure of each:${listed(failures)}`
  }`;

export const connectionClosed = (name: string): string =>
  `Connection "${name}" is closed: close() was called on it. Make a new one to go on.`;

const operation = (name: string): string => (name === '' ? 'the operation' : `"${name}"`);

export const operationGaveUp = (
  name: string,
  runs: number,
  reason: string,
  failures: readonly BrokerFailure[],
): string =>
  `Gave up ${operation(name)} after it ran ${times(runs)}: ${reason.replace(/\.$/, '')}. Raise maxRetries, or look at why the brokers failed.${listed(failures)}`;

export const operationTimedOut = (
  name: string,
  timeout: number,
  runs: number,
  lastError: unknown,
  failures: readonly BrokerFailure[],
): string =>
  `Gave up ${operation(name)}: it did not succeed within its timeout of ${timeout} ms (run ${times(runs)}). ${
    lastError === undefined
      ? 'Its last run had not ended; look at what it waits for.'
      : `Its last failure: ${reasonOf(lastError)}`
  }${listed(failures)}`;

const nextTry = (interval: number): string =>
  interval === 0 ? 'Trying the next broker now.' : `Trying again in ${ms(interval)}.`;

export const connectedLine = (name: string, broker: string, outage: number | undefined): string =>
  outage === undefined
    ? `Connection "${name}": connected to ${broker}.`
    : `Connection "${name}": connected to ${broker} after an outage of ${ms(outage)}.`;

export const lostLine = (
  name: string,
  event: { readonly broker: string; readonly error: Error; readonly interval: number },
): string =>
  `Connection "${name}": lost ${event.broker}: ${sentenceOf(event.error)} ${nextTry(event.interval)}`;

export const connectFailedLine = (
  name: string,
  event: { readonly error: Error; readonly interval: number },
): string => `Connection "${name}": ${sentenceOf(event.error)} ${nextTry(event.interval)}`;

export const refusedLine = (
  name: string,
  failures: readonly BrokerFailure[],
  interval: number,
): string => `Connection "${name}": ${allRefused(failures)}\nTrying again in ${ms(interval)}.`;

export const blockedLine = (name: string, broker: string, reason: string): string =>
  `Connection "${name}": ${broker} blocks publishers (${reason}). Publishes wait until it has room again.`;

export const unblockedLine = (name: string, broker: string): string =>
  `Connection "${name}": ${broker} takes publishes again.`;

export const listenerFailed = (name: string): string =>
  `A "${name}" listener threw. That changes nothing here, but look at it.`;

export const notAnOperation = (method: string, value: unknown): string =>
  `${method}: the operation is ${value === null ? 'null' : typeof value}, which is not allowed. Allowed: a function.`;

export const notRevivable = (method: string): string =>
  `${method}: the first argument is neither null nor an object with a method revive(channel). Give null if nothing has to be revived.`;

export const notAnEntity = (value: unknown): string =>
  `What is declared must be an Exchange or a Queue, not ${shown(value)}.`;

export const conflictingDeclarations = (name: string): string =>
  `The ${name} is declared twice, and differently. Declare it once, as one object, and use that everywhere.`;

export const manyNotDeclared = (errors: readonly Error[]): string =>
  `${errors.length} declarations were refused:\n${errors.map((error) => `  ${error.message}`).join('\n')}`;

export const classicOnCluster = (queue: string): string =>
  `The ${queue} is a durable classic queue on a cluster: when its node dies it is gone until that node returns, and nobody can declare or consume it meanwhile (404). Use type: 'quorum' to keep it through a failover.`;
