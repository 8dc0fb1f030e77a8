import { ConfigurationError } from '../errors.js';
import { argumentConflict } from './entity.messages.js';

/** The `arguments` of an entity, a queue's `x-` keys among them. */
export type Arguments = Readonly<Record<string, unknown>>;

/**
 * `given` together with the named options, under the keys that `keys` has for them. Frozen.
 *
 * @throws ConfigurationError if an option and the same key of `given` differ
 */
export function mergedArguments(
  entity: string,
  given: Arguments | undefined,
  options: Readonly<Record<string, unknown>>,
  keys: Readonly<Record<string, string>>,
): Arguments {
  const merged: Record<string, unknown> = { ...given };
  for (const [option, key] of Object.entries(keys)) {
    const value = options[option];
    if (value === undefined) continue;
    if (merged[key] !== undefined && merged[key] !== value) {
      throw new ConfigurationError(argumentConflict(entity, option, key));
    }
    merged[key] = value;
  }
  return Object.freeze(merged);
}
