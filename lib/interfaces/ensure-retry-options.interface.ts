import type { Observable } from 'rxjs';
import type { EnsureOptions } from '../failover/ensure-options.js';

/**
 * What `@EnsureRetry` takes: the options of `connection.ensure`. `errback`, `onRevive` and a `retryErrors` function are
 * called with the instance as `this`. Durations are milliseconds.
 */
export interface EnsureRetryOptions extends Omit<EnsureOptions, 'signal'> {
  /** The name of the connection. @default the one without a name */
  readonly connection?: string | undefined;
  /** `autoretry`: the parameter marked `@RetryChannel()` receives a live channel. @default false */
  readonly channel?: boolean | undefined;
}

/** A decorator for methods that return a promise. */
export type PromiseMethodDecorator = <T extends (...args: never[]) => Promise<unknown>>(
  prototype: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void;

/** A decorator for methods that return a promise or an Observable. */
export type AsyncMethodDecorator = <
  T extends (...args: never[]) => Promise<unknown> | Observable<unknown>,
>(
  prototype: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void;
