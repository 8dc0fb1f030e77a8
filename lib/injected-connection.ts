import { Inject } from '@nestjs/common';
import { PROPERTY_DEPS_METADATA } from '@nestjs/common/constants.js';
import { getConnectionToken } from './failover.tokens.js';
import type { FailoverConnection } from './failover/failover-connection.js';

/** The property under which an instance holds the connection of that name. Two copies of this package agree on it. */
const connectionKey = (name: string): symbol => Symbol.for(`nestjs-failover.connection.${name}`);

/** The property under which a consumer holds the connection that it consumes from. Nothing reads it: Nest is to find it. */
const consumerConnection = Symbol.for('nestjs-failover.consumer.connection');

/** What Nest injects into properties of a class, by key. */
const injectedInto = (type: Function) =>
  (Reflect.getMetadata(PROPERTY_DEPS_METADATA, type) ?? []) as readonly { readonly key: unknown }[];

/** Has Nest refuse, naming the connection, to make a consumer in an app (or a module) that does not have that. */
export function injectConsumerConnection(type: Function, name: string): void {
  // That of a base class, which Nest 11 would look for as well.
  const others = injectedInto(type).filter(({ key }) => key !== consumerConnection);
  Reflect.defineMetadata(PROPERTY_DEPS_METADATA, others, type);
  Inject(getConnectionToken(name))(type.prototype as object, consumerConnection);
}

/** Has Nest inject the connection into each instance of the class, whatever its scope. */
export function injectConnection(prototype: object, name: string): void {
  const key = connectionKey(name);
  if (injectedInto(prototype.constructor).some((property) => property.key === key)) return;
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
