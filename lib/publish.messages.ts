import type { PublishOutcome } from './errors.js';
import { ms, quoted, reasonOf, sentenceOf, times } from './phrases.js';
import { printable } from './printable.js';

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
  `Message ${quoted(messageId)} came back (returned): ${
    exchange === ''
      ? `there is no queue ${quoted(routingKey)} (${printable(reason, 64)}). Declare it`
      : `no queue is bound to exchange ${quoted(exchange)} for routing key ${quoted(routingKey)} (${printable(reason, 64)}). Bind one`
  }, or publish with mandatory: false if nobody need hear it.`;

export const returnedAfterLoss = (returned: string): string =>
  `an earlier attempt was lost before its confirm, and this time it came back. ${returned}`;

export const notEncodable = (cause: unknown): string => `it cannot be encoded: ${reasonOf(cause)}`;

export const confirmsMissing = (timeout: number, broker: string): string =>
  `${broker} has confirmed nothing for ${ms(timeout)} although publishes are due: their channel is given up and they are sent again.`;

export const confirmChannelRefused = (error: unknown): string =>
  `No channel to publish on: ${sentenceOf(error)} Trying again.`;

export const declaringFailed = (error: unknown): string =>
  `Publishing waits for exchanges and queues that could not be declared: ${sentenceOf(error)} Trying again.`;

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

export const tagNotOutstanding = (tag: number, multiple: boolean): string =>
  `The broker answered publish ${tag}${multiple ? ' and those before it' : ''}, but none such is outstanding: it, or something on the way to it, has lost count.`;

export const noConnectionGiven = (what: string): string =>
  `${what}: the first argument is no FailoverConnection. Make one: new FailoverConnection({ urls }).`;
