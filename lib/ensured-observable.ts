import type { Subscription } from 'rxjs';
import { firstValueFrom, Observable } from 'rxjs';
import type { EnsureOptions } from './failover/ensure-options.js';
import type { FailoverConnection } from './failover/failover-connection.js';

/**
 * An Observable that is subscribed again after a failover, as long as it has not given a value. After its first value an
 * error passes through: what was given cannot be taken back.
 */
export const ensuredObservable = <T>(
  connection: FailoverConnection,
  first: Observable<T>,
  again: () => Observable<T>,
  { where, options }: { readonly where: string; readonly options: EnsureOptions },
): Observable<T> =>
  new Observable<T>((subscriber) => {
    const left = new AbortController();
    let next: Observable<T> | undefined = first;
    let inner: Subscription | undefined;

    /** One run: it succeeds with the first value, and the subscription goes on behind it. */
    const subscribe = (): Promise<void> =>
      firstValueFrom(
        new Observable<void>((run) => {
          let begun = false;
          const begin = (): void => {
            begun = true;
            run.next();
          };
          const source = next ?? again();
          next = undefined;
          inner = source.subscribe({
            next: (value) => {
              begin();
              subscriber.next(value);
            },
            error: (error: unknown) => (begun ? subscriber : run).error(error),
            complete: () => {
              begin();
              subscriber.complete();
            },
          });
          // A source that gives its values at once was left before there was anything to leave.
          if (subscriber.closed) inner.unsubscribe();
        }),
      );

    const operation = Object.defineProperty(subscribe, 'name', { value: where });
    const run = connection.ensure(null, operation, { ...options, signal: left.signal });
    run().catch((error: unknown) => {
      inner?.unsubscribe();
      subscriber.error(error);
    });
    return () => {
      inner?.unsubscribe();
      left.abort();
    };
  });
