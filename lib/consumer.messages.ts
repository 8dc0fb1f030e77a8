import { inMs, quoted, sentenceOf } from './phrases.js';

export const settledTwice = (verb: string, state: string): string =>
  `The message cannot be ${verb}: it is ${state} already. Settle a message once; with ackMode 'auto' the consumer does it for a handler that returns.`;

export const hookFailed = (name: string): string =>
  `A lifecycle hook of ${name} threw. That changes nothing here, but look at it.`;

export const handlerFailed = (name: string, queue: string, cause: unknown): string =>
  `${name}: the handler of a message from queue ${quoted(queue)} threw: ${sentenceOf(cause)}`;

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
  `${name}: cannot consume: ${sentenceOf(error)} Trying again ${inMs(wait)}.`;

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

export const cancelledByBroker = (queue: string): string =>
  `The broker cancelled the consumer of queue ${quoted(queue)}: the queue was deleted, or its node is gone. Revive the consumer to declare it and to consume again.`;

export const drainTimedOut = (timeout: number): string =>
  `Nothing came within ${timeout} ms. That is no fault of the connection: drain again, or allow more with \`timeout\`.`;

export const notConsuming = (verb: string): string =>
  `${verb}: this consumer does not consume. Call consume() before.`;

export const overlappingRoutes = (where: string, one: string, other: string): string =>
  `${where}: handlers ${one} and ${other} both take some messages, so that chance would choose. Give them criteria that exclude each other; one handler may go without and takes the rest.`;

export const routesOfSeveralKinds = (where: string, kinds: readonly string[]): string =>
  `${where}: its handlers are told apart by ${kinds.join(' and by ')}. Choose one of these for all of them.`;

export const unusableRoute = (where: string, name: string): string =>
  `${where}: handler ${name} has a criterion that is not allowed. Allowed: { queue }, { routingKey }, { type } or { header: [name, value] }.`;

export const foreignQueue = (where: string, name: string, queue: string): string =>
  `${where}: handler ${name} is for messages from queue ${quoted(queue)}, which this consumer does not consume from. Add it to \`queues\`.`;

export const noRoute = (routingKey: string, type: unknown): string =>
  `no handler takes routing key ${quoted(routingKey)}${typeof type === 'string' ? `, type ${quoted(type)}` : ''}. Add one, or an @OnMessage() without a criterion for the rest.`;

export const nothingDeadLettered = (name: string, queue: string): string =>
  `${name}: quorum queue ${quoted(queue)} names no dead-letter exchange. A message whose handler keeps failing is dropped at the queue's delivery limit, which is 20 by default since RabbitMQ 4.0. Give the queue a deadLetterExchange, or ignore this if a policy of the broker does.`;

export const foreignConsumers = (name: string): string =>
  `${name}.getConsumers: must return a list of at least one consumer, each made by the function that it is given: return [consumer(queues, { callbacks })]. A consumer of another connection would never be drained.`;

export const runsAlready = (name: string, verb: string): string =>
  `${name}.${verb}: it consumes already. Wait for run() or end the loop over consume() before; for more at the same time make another instance.`;

export const noConnection = (name: string): string =>
  `${name}.connection: must be a FailoverConnection. Take it in the constructor: constructor(readonly connection: FailoverConnection) { super(); }`;

export const mixinStopped = (name: string): string => `${name} is to stop.`;

export const mixinLost = (name: string, error: Error): string =>
  `${name}: consuming no longer: ${sentenceOf(error)} Starting again.`;
