import { connectionMethods } from './connection-methods.js';
import { entityMethods } from './entity-methods.js';
import { messageMethods } from './message-methods.js';
import type { WireType, WireTypes } from './method-shape.js';

export type { WireType } from './method-shape.js';

/** The methods of AMQP 0-9-1 with RabbitMQ's extensions. */
export const methodTable = {
  ...connectionMethods,
  ...entityMethods,
  ...messageMethods,
} as const;

export type MethodName = keyof typeof methodTable;

/** The fields of a method. */
export type Fields<M extends MethodName = MethodName> = {
  readonly [
    Field in keyof (typeof methodTable)[M]['fields']
  ]: (typeof methodTable)[M]['fields'][Field] extends WireType
    ? WireTypes[(typeof methodTable)[M]['fields'][Field]]
    : never;
};

/** @returns whether a header and a body follow the method */
export const hasContent = (method: MethodName): boolean => 'content' in methodTable[method];
