import type { Channel } from '../amqp/channel.js';
import { ConfigurationError } from '../errors.js';
import { notAnOperation, notRevivable } from '../failover.messages.js';
import type { EnsuredCall, EnsureParts } from './ensure.js';
import { Ensured } from './ensure.js';
import type { EnsureOptions, Revivable } from './ensure-options.js';
import { checkEnsureOptions } from './ensure-options.js';
import type { LiveLinkParts } from './live-link.js';
import { onLiveLink } from './live-link.js';

type Run<A, R> = (args: A, patience: Parameters<EnsuredCall<R>['run']>[0]) => R | PromiseLike<R>;

function ensured<A extends unknown[], R>(
  parts: EnsureParts,
  call: Omit<EnsuredCall<R>, 'run'>,
  run: Run<A, R>,
): (...args: A) => Promise<R> {
  const again = (...args: A): Promise<R> =>
    new Ensured<R>(parts, { ...call, run: (patience) => run(args, patience) }).settle();
  return Object.defineProperty(again, 'name', { value: `${call.name}(ensured)` });
}

function checkOperation(method: string, operation: unknown, options: EnsureOptions): void {
  if (typeof operation !== 'function') {
    throw new ConfigurationError(notAnOperation(method, operation));
  }
  checkEnsureOptions(method, options);
}

const isRevivable = (value: unknown): boolean =>
  value === null ||
  (typeof value === 'object' && 'revive' in value && typeof value.revive === 'function');

/** What `FailoverConnection.ensure` returns. */
export function ensureOperation<A extends unknown[], R>(
  parts: EnsureParts,
  revivable: Revivable | null,
  operation: (...args: A) => R | PromiseLike<R>,
  options: EnsureOptions,
): (...args: A) => Promise<R> {
  if (!isRevivable(revivable)) throw new ConfigurationError(notRevivable('ensure'));
  checkOperation('ensure', operation, options);
  const { name } = operation;
  return ensured(parts, { name, revivable, options }, (args: A) =>
    operation.apply(revivable, args),
  );
}

/** What `FailoverConnection.autoretry` returns. */
export function autoretryOperation<A extends unknown[], R>(
  parts: EnsureParts & LiveLinkParts,
  operation: (channel: Channel, ...args: A) => R | PromiseLike<R>,
  options: EnsureOptions,
): (...args: A) => Promise<R> {
  checkOperation('autoretry', operation, options);
  const call = { name: operation.name, revivable: null, options };
  return ensured(parts, call, async (args: A, patience) => {
    const channel = await onLiveLink(
      parts,
      patience,
      ({ connection }) => connection.openChannel(),
      (late) => void late.close(),
    );
    // A run that nobody waits for any more must not hold a channel for as long as it hangs.
    const abandon = (): void => void channel.close();
    patience.signal?.addEventListener('abort', abandon, { once: true });
    try {
      return await operation(channel, ...args);
    } finally {
      patience.signal?.removeEventListener('abort', abandon);
      await channel.close();
    }
  });
}
