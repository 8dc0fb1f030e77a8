import { ensured } from '../ensured-method.js';
import { ConfigurationError } from '../errors.js';
import { DEFAULT_CONNECTION } from '../failover.constants.js';
import { ensureOptionChecks } from '../failover/ensure-options.js';
import { injectConnection } from '../injected-connection.js';
import type {
  AsyncMethodDecorator,
  EnsureRetryOptions,
  PromiseMethodDecorator,
} from '../interfaces/ensure-retry-options.interface.js';
import {
  channelNotAsked,
  manyRetryChannels,
  noRetryChannel,
  notAMethod,
  staticEnsureRetry,
} from '../nest.messages.js';
import { checkOptions, flag, text } from '../policy/check-options.js';
import { retryChannels } from './retry-channel.decorator.js';

const { signal: _, ...ensureChecks } = ensureOptionChecks;
const checks = { ...ensureChecks, connection: text, channel: flag } as const;

/**
 * `connection.ensure` around a method of a provider of any scope: it is run again after a failover, while errors of its own
 * pass through untouched. `this`, arguments and metadata are kept. The method returns a promise or an Observable; an
 * Observable is subscribed again only before its first value.
 *
 * With `channel: true` it is `autoretry`: the parameter marked `@RetryChannel()` receives a live channel, a new one on each
 * run. Such a method returns a promise.
 *
 * @throws ConfigurationError when the class is defined: an option is refused, or what is decorated is no such method
 */
export function EnsureRetry(
  options: EnsureRetryOptions & { readonly channel: true },
): PromiseMethodDecorator;
export function EnsureRetry(options?: EnsureRetryOptions): AsyncMethodDecorator;
export function EnsureRetry(options: EnsureRetryOptions = {}): AsyncMethodDecorator {
  return (prototype, key, descriptor: PropertyDescriptor) => {
    if (typeof prototype === 'function') {
      throw new ConfigurationError(staticEnsureRetry(`${prototype.name}.${String(key)}`));
    }
    const where = `${prototype.constructor.name}.${String(key)}`;
    checkOptions(`@EnsureRetry on ${where}`, options, checks);
    if (typeof descriptor?.value !== 'function') throw new ConfigurationError(notAMethod(where));
    const { connection = DEFAULT_CONNECTION, channel = false, ...rest } = options;
    injectConnection(prototype, connection);
    descriptor.value = ensured(descriptor.value as Parameters<typeof ensured>[0], {
      where,
      connection,
      channelAt: channelAt(prototype, key, where, channel),
      options: rest,
      returns: returnedClass(prototype, key, descriptor.value as object),
    });
  };
}

/** An async function needs no compiler to say so. */
const returnedClass = (prototype: object, key: string | symbol, method: object): unknown =>
  method.constructor.name === 'AsyncFunction'
    ? Promise
    : Reflect.getOwnMetadata('design:returntype', prototype, key);

function channelAt(
  prototype: object,
  key: string | symbol,
  where: string,
  asked: boolean,
): number | undefined {
  const [first, second] = retryChannels(prototype, key);
  if (second !== undefined) throw new ConfigurationError(manyRetryChannels(where));
  if (asked && first === undefined) throw new ConfigurationError(noRetryChannel(where));
  if (!asked && first !== undefined) throw new ConfigurationError(channelNotAsked(where));
  return first;
}
