import type { ConnectFailureReason } from '../errors.js';
import { printable } from '../printable.js';

const because = (cause: unknown): string => {
  if (cause === undefined || cause === null) return '';
  const { message, code } = cause as { message?: unknown; code?: unknown };
  const text = typeof message === 'string' && message !== '' ? message : code;
  return typeof text === 'string' ? `: ${printable(text)}` : '';
};

/** The sentences of the AMQP adapter. `broker` is an address with its password masked. */
export const amqplibMessages = {
  noChannelLeft: (broker: string): string =>
    `${broker} allows no more channels on this connection. Close those that are not used any more, or raise channel_max.`,

  connectionLost: (broker: string, cause: unknown) =>
    `The connection to ${broker} was lost${because(cause)}`,
  connectionClosed: (broker: string) => `The connection to ${broker} was closed by its owner`,
  operationOnLostConnection: (operation: string, broker: string, cause: unknown) =>
    `${operation} did not complete: the connection to ${broker} has ended${because(cause)}`,
  channelLost: (broker: string, cause: unknown) =>
    `A channel to ${broker} was closed${because(cause)}`,
  channelClosed: (broker: string) => `A channel to ${broker} was closed by its owner`,
  channelClosing: (operation: string, broker: string) =>
    `${operation} was not sent: the channel to ${broker} is being closed`,
  operationOnLostChannel: (operation: string, broker: string, cause: unknown) =>
    `${operation} did not complete: its channel to ${broker} has ended${because(cause)}`,
  notEncoded: (operation: string, broker: string, cause: unknown) =>
    `${operation} was not sent to ${broker}, as it cannot be encoded${because(cause)}`,
  rpcTimeout: (operation: string, broker: string, timeout: number) =>
    `${broker} did not answer ${operation} within ${timeout} ms; its channel was abandoned, as its replies are out of step`,
  closeTimeout: (broker: string, timeout: number) =>
    `${broker} did not answer the closing of a channel within ${timeout} ms; it was abandoned`,
  outOfStep: (operation: string, broker: string) =>
    `${broker} gave no proper answer to ${operation}; its channel was abandoned`,
  nacked: (broker: string) => `${broker} refused (basic.nack) a publish that was waited for`,
  socketDropped: (broker: string) => `The socket to ${broker} is no longer needed`,
  connectFailed: (broker: string, reason: ConnectFailureReason, what: string, remedy: string) =>
    `Cannot connect to ${broker} (${reason}): ${what}. ${remedy}`,
};
