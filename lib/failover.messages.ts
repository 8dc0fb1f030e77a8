import type { BrokerFailure, PublishOutcome } from './errors.js';

/** What may be a URL with its login, given in the place of something else. */
const looksLikeUrl = (text: string): boolean => /:\/\/|@/u.test(text);

/** Shows a refused value without showing a secret: strings may be URLs, objects may hold credentials. */
function shown(option: string, value: unknown): string {
  if (typeof value === 'string')
    return /url|pass|secret|cred/i.test(option) || looksLikeUrl(value)
      ? 'that'
      : JSON.stringify(cut(value));
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? 'that list' : 'that object';
  if (typeof value === 'function') return 'a function';
  return String(value);
}

const cut = (text: string): string => (text.length > 64 ? `${text.slice(0, 64)}...` : text);

const told = (failures: readonly BrokerFailure[]): string =>
  failures.length === 0
    ? ''
    : `\n${failures.map(({ broker, error }) => `  ${broker}: ${error.message}`).join('\n')}`;

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

export const notAllowed = (
  where: string,
  option: string,
  value: unknown,
  allowed: string,
): string =>
  `${where}: option "${option}" is ${shown(option, value)}, which is not allowed. Allowed: ${allowed}.`;

export const unknownOption = (where: string, option: string, known: readonly string[]): string =>
  `${where}: there is no option ${looksLikeUrl(option) ? 'of that name' : JSON.stringify(cut(option))}. Known options: ${known.join(', ')}.`;

export const strategyFailed = (reason: string): string =>
  `Option "failoverStrategy" does not work: ${reason}. The brokers are tried in the order of the list from now on.`;

export const urlsFailed = (reason: string): string =>
  `Option "urls" is a function and did not give a list of brokers: ${reason}.`;

export const allRefused = (failures: readonly BrokerFailure[]): string =>
  `Every broker refused the connection. Check user, password, virtual host and connection limits.${told(failures)}`;

export const cannotConnect = (attempts: number, failures: readonly BrokerFailure[]): string =>
  `No broker could be connected to (tried ${times(attempts)}). Check that one of them runs and can be reached from here.${told(failures)}`;

export const connectTimedOut = (timeout: number, failures: readonly BrokerFailure[]): string =>
  `Not connected to any broker within ${timeout} ms.${
    failures.length === 0 ? '' : ` The last failure of each:${told(failures)}`
  }`;

export const connectionClosed = (name: string): string =>
  `Connection "${name}" is closed: close() was called on it. Make a new one to go on.`;

export const operationGaveUp = (
  name: string,
  runs: number,
  reason: string,
  failures: readonly BrokerFailure[],
): string =>
  `Gave up "${name}" after it ran ${times(runs)}: ${reason}. Raise maxRetries, or look at why the brokers failed.${told(failures)}`;

export const operationTimedOut = (name: string, timeout: number): string =>
  `"${name}" did not succeed within its timeout of ${timeout} ms.`;

const ms = (duration: number): string => `${Math.round(duration)} ms`;

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
  `Connection "${name}": lost ${event.broker}: ${event.error.message} ${nextTry(event.interval)}`;

export const connectFailedLine = (
  name: string,
  event: { readonly error: Error; readonly interval: number },
): string => `Connection "${name}": ${event.error.message} ${nextTry(event.interval)}`;

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
  `What is declared must be an Exchange or a Queue, not ${shown('declare', value)}.`;

export const conflictingDeclarations = (name: string): string =>
  `The ${name} is declared twice, and differently. Declare it once, as one object, and use that everywhere.`;

export const manyNotDeclared = (errors: readonly Error[]): string =>
  `${errors.length} declarations were refused:\n${errors.map((error) => `  ${error.message}`).join('\n')}`;

export const reasonOf = (cause: unknown): string =>
  cause instanceof Error ? cause.message : String(cause);

export const cannotEncode = (format: string, cause: unknown): string =>
  `The body cannot be written as ${format}: ${reasonOf(cause)}. Convert it first, or choose another serializer.`;

export const cannotDecode = (format: string, cause: unknown): string =>
  // The reason of a JSON parser quotes the body, which no log may show.
  `The body is not ${format}, as its content type says${cause instanceof TypeError ? ': it is not UTF-8' : ''}.`;

export const unknownSerializer = (name: string, known: readonly string[]): string =>
  `There is no serializer ${JSON.stringify(cut(name))}. Known: ${known.join(', ')}.`;

export const contentTypeRefused = (
  contentType: string | undefined,
  accept: readonly string[],
): string =>
  `A body of content type ${JSON.stringify(cut(contentType ?? 'none'))} is not accepted. Accepted: ${accept.join(', ')}; see option "accept".`;

export const headerRefused = (path: string, value: unknown): string =>
  `Header ${JSON.stringify(cut(path))} cannot be sent: AMQP has no type for ${kindOf(value)}, or it is nested too deeply. Convert it to a string, number, boolean, Buffer, list or plain object.`;

export const headerKeyTooLong = (path: string, max: number): string =>
  `Header ${JSON.stringify(cut(path))} cannot be sent: a key has at most ${max} bytes.`;

export const headersTooLarge = (size: number, max: number, largest: string): string =>
  `The headers take ${size} bytes, and may take ${max}; the largest is ${JSON.stringify(cut(largest))}. Send it in the body.`;

function kindOf(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    return `an object of class ${value.constructor?.name ?? 'none'}`;
  }
  return typeof value === 'number' ? String(value) : `a ${typeof value}`;
}

const quoted = (text: string): string => JSON.stringify(cut(text));

const whatIsKnown: Readonly<Record<PublishOutcome, string>> = {
  'not-sent': 'It has not been delivered; publishing it again is safe.',
  returned: 'No queue took it.',
  nacked: 'The broker did not take it; look at the limits of its queues.',
  refused: 'The broker refused it and closed the channel; look at its exchange and properties.',
  unknown: 'It may or may not be in a queue; consumers can tell duplicates by the messageId.',
};

export const notConfirmed = (messageId: string, outcome: PublishOutcome, why: string): string =>
  `Message ${quoted(messageId)} was not confirmed (${outcome}): ${why.replace(/\.$/, '')}. ${whatIsKnown[outcome]}`;

export const unroutable = (
  messageId: string,
  exchange: string,
  routingKey: string,
  reason: string,
): string =>
  `Message ${quoted(messageId)} came back (returned): no queue is bound to exchange ${quoted(exchange)} for routing key ${quoted(routingKey)} (${cut(reason)}). Bind one, or publish with mandatory: false if nobody need hear it.`;

export const noJsonFor = (path: string, what: string): string =>
  path === '' ? `there is no JSON for ${what}` : `${JSON.stringify(cut(path))} is ${what}`;

export const notEncodable = (cause: unknown): string => `it cannot be encoded: ${reasonOf(cause)}`;

export const confirmsMissing = (timeout: number, broker: string): string =>
  `${broker} has confirmed nothing for ${ms(timeout)} although publishes are due: their channel is given up and they are sent again.`;

export const confirmChannelRefused = (error: unknown): string =>
  `No channel to publish on: ${reasonOf(error)} Trying again.`;

export const declaringFailed = (error: unknown): string =>
  `Publishing waits for exchanges and queues that could not be declared: ${reasonOf(error)} Trying again.`;

export const channelNotOpened = (timeout: number, broker: string): string =>
  `${broker} has opened no channel to publish on within ${ms(timeout)}: the connection is given up.`;

export const propertiesTooLarge = (size: number, max: number): string =>
  `its properties and headers take up to ${size} bytes, and a frame has ${max}`;

export const producerTopologyRefused = (error: Error): string =>
  `Publishing goes on, but what it needs may be missing: ${error.message}`;

export const producerClosed = (): string => 'the producer is closed';

export const outboxFull = (messages: number, bytes: number): string =>
  `the outbox is full: it holds ${messages} messages of ${bytes} bytes. Publish more slowly, or raise maxMessages and maxBytes of the producer`;

export const noConnectionNow = (): string =>
  'there is no connection right now, and retry: false does not wait for one';

export const bodyTooLarge = (size: number, max: number): string =>
  `its body has ${size} bytes, and maxMessageSize is ${max}`;

export const publishAborted = (): string => 'its signal was aborted';

export const nackedBy = (broker: string, nacks: number): string =>
  `${broker} nacked it (${times(nacks)})`;

export const publishTimedOut = (timeout: number): string =>
  `it was not confirmed within its timeout of ${timeout} ms`;

const inMs = (wait: number): string => (wait === 0 ? 'at once' : `in ${ms(wait)}`);

export const settledTwice = (verb: string, state: string): string =>
  `The message cannot be ${verb}: it is ${state} already. Settle a message once; with ackMode 'auto' the consumer does it for a handler that returns.`;

export const hookFailed = (name: string): string =>
  `A lifecycle hook of ${name} threw. That changes nothing here, but look at it.`;

export const handlerFailed = (name: string, queue: string, cause: unknown): string =>
  `${name}: the handler of a message from queue ${quoted(queue)} threw: ${reasonOf(cause)}.`;

export const undecodable = (name: string, queue: string, error: Error): string =>
  `${name}: a message from queue ${quoted(queue)} cannot be read: ${error.message}`;

export const handedBackIn = (wait: number): string => `It goes back to the queue ${inMs(wait)}.`;

export const consuming = (name: string, broker: string): string =>
  `${name}: consuming from ${broker}.`;

const endings: Readonly<Record<string, string>> = {
  lost: 'its connection was lost',
  'channel-closed': 'its channel was closed',
  cancelled: 'the broker cancelled it (queue deleted, or its node is gone)',
  paused: 'it was paused',
  stopped: 'it was stopped',
};

export const consumerEnded = (name: string, reason: string): string =>
  `${name}: consuming no longer: ${endings[reason] ?? reason}. Starting again.`;

export const consumerStartFailed = (name: string, error: Error, wait: number): string =>
  `${name}: cannot consume: ${error.message} Trying again ${inMs(wait)}.`;

export const consumerStopped = (name: string): string =>
  `${name} was stopped before it consumed anything.`;

export const consumerGaveUp = (name: string, error: Error): string =>
  `${name}: consuming no longer, and not starting again: ${error.message}`;

export const consumerTopologyRefused = (name: string, error: Error): string =>
  `${name}: not everything that is registered could be declared: ${error.message}`;

export const allSlotsHeld = (name: string, held: number): string =>
  `${name}: every slot of its prefetch holds a message whose handler failed (${held}). Nothing new is delivered until one goes back to its queue.`;

export const cancelledWhileStarting = (name: string): string =>
  `${name}: the broker cancelled it while it was registering with its queues.`;

export const overlappingRoutes = (where: string, one: string, other: string): string =>
  `${where}: handlers ${one} and ${other} both take some messages, so that chance would choose. Give them criteria that exclude each other; one handler may go without and takes the rest.`;

export const routesOfSeveralKinds = (where: string, kinds: readonly string[]): string =>
  `${where}: its handlers are told apart by ${kinds.join(' and by ')}. Choose one of these for all of them.`;

export const unusableRoute = (where: string, name: string): string =>
  `${where}: handler ${name} has a criterion that is not allowed. Allowed: { routingKey }, { type } or { header: [name, value] }.`;

export const noRoute = (routingKey: string, type: unknown): string =>
  `no handler takes routing key ${quoted(routingKey)}${typeof type === 'string' ? `, type ${quoted(type)}` : ''}. Add one, or an @OnMessage() without a criterion for the rest.`;

export const nothingDeadLettered = (name: string, queue: string): string =>
  `${name}: quorum queue ${quoted(queue)} names no dead-letter exchange. A message whose handler keeps failing is dropped at the queue's delivery limit, which is 20 by default since RabbitMQ 4.0. Give the queue a deadLetterExchange, or ignore this if a policy of the broker does.`;

export const classicOnCluster = (queue: string): string =>
  `The ${queue} is a durable classic queue on a cluster: when its node dies it is gone until that node returns, and nobody can declare or consume it meanwhile (404). Use type: 'quorum' to keep it through a failover.`;
