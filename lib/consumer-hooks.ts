import type { ConsumerHooks } from './failover/consumer-hooks.js';

const names = [
  'onConnectionRevived',
  'extraContext',
  'onConsumeReady',
  'onIteration',
  'onConsumeEnd',
  'onConnectionError',
  'onDecodeError',
] as const satisfies readonly (keyof ConsumerHooks)[];

/** The hooks that an object has as methods. */
export const hookNames = (object: ConsumerHooks): readonly (keyof ConsumerHooks)[] =>
  names.filter((name) => typeof object[name] === 'function');

/** The hooks of a consumer class, called on its instance. */
export const consumerHooks = (instance: ConsumerHooks): ConsumerHooks =>
  Object.fromEntries(
    hookNames(instance).map((name) => [
      name,
      // Looked up at each call, as for any method: it may be replaced.
      (...args: unknown[]) => (instance[name] as (...given: unknown[]) => unknown)(...args),
    ]),
  );
