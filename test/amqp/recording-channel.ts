import type { Channel } from '../../lib/amqp/channel.js';

/** One call of a method of the channel: its name, then its arguments. */
export type Call = readonly [method: string, ...args: unknown[]];

const queue = (name: string) => ({
  queue: name === '' ? 'amq.gen-1' : name,
  messageCount: 3,
  consumerCount: 2,
});

const exchange = (name: string) => ({ exchange: name });

/**
 * A channel that writes down which of its methods for declaring were called, and answers as a broker does. `failOn` makes
 * the named method fail.
 */
export function recordingChannel(failOn: Readonly<Record<string, Error>> = {}) {
  const calls: Call[] = [];
  const answer = (method: string, reply: (name: string) => unknown) => {
    return (...args: [string, ...unknown[]]): Promise<unknown> => {
      calls.push([method, ...args]);
      const failure = failOn[method];
      return failure === undefined ? Promise.resolve(reply(args[0])) : Promise.reject(failure);
    };
  };
  const channel = {
    assertQueue: answer('assertQueue', queue),
    checkQueue: answer('checkQueue', queue),
    bindQueue: answer('bindQueue', () => ({})),
    assertExchange: answer('assertExchange', exchange),
    checkExchange: answer('checkExchange', () => ({})),
    bindExchange: answer('bindExchange', () => ({})),
  };
  return { calls, channel: channel as unknown as Channel };
}
