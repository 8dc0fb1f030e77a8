import { firstValueFrom, isObservable, Observable, throwError } from 'rxjs';
import { carryMetadata } from './carry-metadata.js';
import { ensuredObservable } from './ensured-observable.js';
import { ConfigurationError } from './errors.js';
import { ENSURE_RETRY_METADATA } from './failover.constants.js';
import type { EnsureOptions } from './failover/ensure-options.js';
import { connectionOf } from './injected-connection.js';
import { channelNeedsPromise, noConnectionInjected, returnsNeither } from './nest.messages.js';

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** A method under `@EnsureRetry`. */
export interface EnsuredMethod {
  /** Class and method, for errors. */
  readonly where: string;
  readonly connection: string;
  /** The position of the parameter that receives a live channel. */
  readonly channelAt: number | undefined;
  readonly options: EnsureOptions;
  /** The class that the method says it returns, where the compiler emits that. */
  readonly returns: unknown;
}

const isPromiseLike = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function';

const kindOf = (value: unknown): string => {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? `an object of class ${value.constructor?.name}` : typeof value;
};

/** The function that takes the method's place: `connection.ensure`, or `autoretry`, around it. */
export function ensured(method: Method, ensuredMethod: EnsuredMethod): Method {
  const { where, connection: name, channelAt, returns } = ensuredMethod;
  const call = channelAt === undefined ? callEnsured : callWithChannel;
  function ensuredCall(this: unknown, ...args: unknown[]): unknown {
    if (connectionOf(this, name) === undefined) {
      return failed(new ConfigurationError(noConnectionInjected(where, name)), returns);
    }
    return call(this, args, method, ensuredMethod);
  }
  carryMetadata(method, ensuredCall);
  Reflect.defineMetadata(ENSURE_RETRY_METADATA, ensuredMethod, ensuredCall);
  return ensuredCall;
}

type Call = (
  self: unknown,
  args: unknown[],
  method: Method,
  ensuredMethod: EnsuredMethod,
) => unknown;

/** The first run tells what the method returns. */
const callEnsured: Call = (self, args, method, { where, connection: name, options, returns }) => {
  const connection = connectionOf(self, name);
  if (connection === undefined) return undefined;
  const returned = firstRun(method, self, args, returns);
  const bound = boundTo(self, options);
  if (isObservable(returned)) {
    const again = () => checkedObservable(where, method.apply(self, args));
    return ensuredObservable(connection, returned, again, { where, options: bound });
  }
  if (!isPromiseLike(returned)) {
    throw new ConfigurationError(returnsNeither(where, kindOf(returned)));
  }
  let first: PromiseLike<unknown> | undefined = returned;
  const run = (): unknown => {
    const result = first ?? method.apply(self, args);
    first = undefined;
    return result;
  };
  return connection.ensure(null, named(run, where), bound)();
};

const callWithChannel: Call = (self, args, method, { where, connection: name, ...rest }) => {
  const connection = connectionOf(self, name);
  const { channelAt = 0, options } = rest;
  const run = async (channel: unknown): Promise<unknown> => {
    const given = [...args];
    given[channelAt] = channel;
    const result = method.apply(self, given);
    if (isObservable(result)) throw new ConfigurationError(channelNeedsPromise(where));
    if (!isPromiseLike(result)) {
      throw new ConfigurationError(returnsNeither(where, kindOf(result)));
    }
    return result;
  };
  return connection?.autoretry(named(run, where), boundTo(self, options))();
};

/** Tells of an error in the way that the method tells of its own. Where no type says which that is, it is thrown. */
function failed(error: unknown, returns: unknown): unknown {
  if (returns !== Observable && returns !== Promise) throw error;
  const failure = throwError(() => error);
  return returns === Promise ? firstValueFrom(failure) : failure;
}

/** What is thrown instead of being rejected with is a failed run all the same. */
function firstRun(method: Method, self: unknown, args: unknown[], returns: unknown): unknown {
  try {
    return method.apply(self, args);
  } catch (error) {
    return failed(error, returns);
  }
}

function checkedObservable(where: string, value: unknown): Observable<unknown> {
  if (isObservable(value)) return value;
  throw new ConfigurationError(returnsNeither(where, kindOf(value)));
}

/** The name of an operation is what its errors are told by. */
const named = <F extends (...args: never[]) => unknown>(operation: F, name: string): F =>
  Object.defineProperty(operation, 'name', { value: name });

/** Callbacks that are given with a decorator can reach the instance by `this` only. */
function boundTo(self: unknown, { errback, onRevive, retryErrors, ...rest }: EnsureOptions) {
  return {
    ...rest,
    errback: errback?.bind(self),
    onRevive: onRevive?.bind(self),
    retryErrors: typeof retryErrors === 'function' ? retryErrors.bind(self) : retryErrors,
  };
}
