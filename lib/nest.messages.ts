import type { BrokerFailure } from './errors.js';
import { listed, sentenceOf } from './phrases.js';

const list = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '));

const connectionCalled = (name: string): string =>
  name === 'default' ? 'the connection without a name' : `connection "${name}"`;

const remedyFor = (name: string): string =>
  name === 'default'
    ? 'FailoverModule.forRoot({ ... })'
    : `FailoverModule.forRoot({ name: '${name}', ... })`;

export const moduleNamed = (name: string): string =>
  name === 'default' ? 'FailoverModule' : `FailoverModule "${name}"`;

export const duplicateConnection = (name: string): string =>
  `FailoverModule.forRoot makes ${connectionCalled(name)} twice in one app. Give one of them another name: FailoverModule.forRoot({ name: '...', ... }).`;

export const unknownConnection = (name: string, where: string, known: readonly string[]): string =>
  `${where} asks for ${connectionCalled(name)}, which this app does not have. Known: ${list(known)}. Import ${remedyFor(name)}.`;

export const nameBesideFactory = (option: string): string =>
  `FailoverModule.forRootAsync: "${option}" stands beside the factory, not in what it returns: forRootAsync({ ${option}: ..., useFactory }).`;

export const noAsyncOptions = (): string =>
  'FailoverModule.forRootAsync: give useFactory, useClass or useExisting.';

export const noOptions = (name: string, value: unknown): string =>
  `${moduleNamed(name)}: the options are ${value === null ? 'null' : typeof value}, which is not allowed. Allowed: an object with at least "urls".`;

export const noConsumerOptions = (consumer: string, value: unknown): string =>
  `@Consumer on class ${consumer}: the options are ${value === null ? 'null' : typeof value}, which is not allowed. Name at least one queue: @Consumer({ queues: [new Queue('...')] }).`;

export const noHandler = (consumer: string): string =>
  `@Consumer class ${consumer} has no handler. Mark one of its methods with @OnMessage().`;

export const noQueues = (consumer: string, methods: readonly string[]): string =>
  `@Consumer class ${consumer} has no queues for ${list(methods)}. Name at least one: @Consumer({ queues: [new Queue('...')] }).`;

export const handlerWithoutConsumer = (type: string, methods: readonly string[]): string =>
  `${type} has @OnMessage() on ${list(methods)}, but is no consumer. Put @Consumer({ queues: [...] }) on the class itself; that of a base class is not inherited.`;

export const hooksNeedOneInstance = (consumer: string, hooks: readonly string[]): string =>
  `@Consumer class ${consumer} has an instance for each message, so its hooks ${list(hooks)} have no instance to be called on. Move them to a consumer of the default scope, or make this one Scope.DEFAULT.`;

export const consumerFactory = (consumer: string): string =>
  `@Consumer class ${consumer} is made by a factory that runs for each request. List the class itself as a provider.`;

export const notFailoverEntities = (value: unknown): string =>
  `FailoverModule.forFeature: the entities are ${value === null ? 'null' : typeof value}, which is not allowed. Allowed: a list of Exchange and Queue objects.`;

export const staticEnsureRetry = (where: string): string =>
  `${where}: @EnsureRetry cannot be on a static method, as no connection is injected into a class. Make it a method of a provider.`;

export const notAMethod = (where: string): string => `${where}: @EnsureRetry must be on a method.`;

export const returnsNeither = (where: string, returned: string): string =>
  `${where}: @EnsureRetry needs a method that returns a promise or an Observable; this one returns ${returned}. Make it async.`;

export const channelNeedsPromise = (where: string): string =>
  `${where}: @EnsureRetry({ channel: true }) needs a method that returns a promise, as the channel is closed when that settles. This one returns an Observable.`;

export const noConnectionInjected = (where: string, name: string): string =>
  `${where}: @EnsureRetry has no connection, as this object was not made by Nest. List its class as a provider, return it from a provider (useFactory, useValue), or call it on the instance that is injected; and import ${remedyFor(name)}.`;

export const noRetryChannel = (where: string): string =>
  `${where}: @EnsureRetry({ channel: true }) needs one parameter marked @RetryChannel(), to receive the channel.`;

export const manyRetryChannels = (where: string): string =>
  `${where}: only one parameter can be marked @RetryChannel().`;

export const channelNotAsked = (where: string): string =>
  `${where}: a parameter is marked @RetryChannel(), but nothing fills it in. Put @EnsureRetry({ channel: true }) on the method.`;

export const channelNotFilledIn = (): string =>
  'A @RetryChannel() parameter was not filled in. It must be a parameter of a method with @EnsureRetry({ channel: true }).';

/** How far a start has come. */
export type StartupStage = 'connecting' | 'declaring' | 'consuming';

const stages: Readonly<Record<StartupStage, string>> = {
  connecting: 'No broker has answered yet.',
  declaring: 'A broker has answered, but not everything is connected and declared yet.',
  consuming: 'Everything is connected and declared.',
};

const remedies: Readonly<Record<StartupStage, string>> = {
  connecting: 'Start a broker',
  declaring: 'Look at the broker',
  consuming: 'Mend what keeps the consumers from consuming',
};

export function startupTimedOut(
  name: string,
  timeout: number,
  attempts: number,
  failures: readonly BrokerFailure[],
  waiting: readonly string[],
  stage: StartupStage,
): string {
  const told = [`${moduleNamed(name)} is not up within its startupTimeout of ${timeout} ms.`];
  if (failures.length === 0 || stage !== 'connecting') told.push(stages[stage]);
  if (failures.length > 0) {
    told.push(`Failed attempts: ${attempts}. The last failure of each broker:${listed(failures)}`);
  }
  const consumers = waiting.length === 0 ? '' : `\nNot consuming yet: ${list(waiting)}.`;
  return `${told.join(' ')}${consumers}\n${remedies[stage]}, raise startupTimeout, or set startup: 'background' to start without.`;
}

export const closedWhileStarting = (name: string): string =>
  `${moduleNamed(name)} was shut down while it was starting.`;

export const topologyFailed = (name: string, reason: string): string =>
  `${moduleNamed(name)}: not everything could be declared, and will not be tried again: ${reason}`;

export const topologyWaits = (name: string, reason: string, wait: number): string =>
  `${moduleNamed(name)}: ${sentenceOf(reason)} Trying again in ${Math.round(wait)} ms.`;

export const consumerFailed = (consumer: string, reason: string): string =>
  `Consumer ${consumer} could not be started and does not consume: ${reason}`;

export const stopFailed = (what: string): string =>
  `Stopping ${what} failed. The shutdown goes on.`;

export const shutdownDeadline = (name: string, timeout: number): string =>
  `${moduleNamed(name)}: shutdownTimeout of ${timeout} ms has passed.`;

export const unknownConsumer = (name: string, known: readonly string[]): string =>
  `There is no @Consumer class ${JSON.stringify(name)} in this app. There are: ${known.join(', ') || 'none'}.`;
