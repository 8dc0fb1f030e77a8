import type { ConnectionOptions } from 'node:tls';

const hidden = (value: unknown): PropertyDescriptor => ({ value, enumerable: false });

/**
 * A frozen copy that shows the names of its options but none of their values when it is inspected or turned into JSON: they
 * hold a private key and its passphrase. Spreading it gives the plain options.
 */
export function sealedTls(options: ConnectionOptions): ConnectionOptions {
  const copy: ConnectionOptions = { ...options };
  const outline = (): Record<string, string> =>
    Object.fromEntries(Object.keys(copy).map((key) => [key, '**']));
  Object.defineProperties(copy, {
    toJSON: hidden(outline),
    [Symbol.for('nodejs.util.inspect.custom')]: hidden(outline),
  });
  return Object.freeze(copy);
}
