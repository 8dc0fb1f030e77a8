import { Inject } from '@nestjs/common';
import { PROPERTY_DEPS_METADATA } from '@nestjs/common/constants.js';
import { getConnectionToken } from './failover.tokens.js';
import type { FailoverConnection } from './failover/failover-connection.js';

/** The property under which an instance holds the connection of that name. Two copies of this package agree on it. */
const connectionKey = (name: string): symbol => Symbol.for(`nestjs-failover.connection.${name}`);

/** Has Nest inject the connection into each instance of the class, whatever its scope. */
export function injectConnection(prototype: object, name: string): void {
  const key = connectionKey(name);
  const injected = (Reflect.getMetadata(PROPERTY_DEPS_METADATA, prototype.constructor) ??
    []) as readonly { readonly key: unknown }[];
  if (injected.some((property) => property.key === key)) return;
  Inject(getConnectionToken(name))(prototype, key);
}

/** Does what Nest does, for an instance that it did not make. */
export function giveConnection(
  instance: object,
  name: string,
  connection: FailoverConnection,
): void {
  Object.defineProperty(instance, connectionKey(name), {
    value: connection,
    configurable: true,
    writable: true,
  });
}

export const connectionOf = (instance: unknown, name: string): FailoverConnection | undefined =>
  typeof instance === 'object' && instance !== null
    ? (instance as Record<symbol, FailoverConnection | undefined>)[connectionKey(name)]
    : undefined;
