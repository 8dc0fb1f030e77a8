import type { FieldTable } from './field-value.js';

/** What a field of a method is on the wire. */
export interface WireTypes {
  octet: number;
  short: number;
  long: number;
  longlong: number;
  shortstr: string;
  longstr: Buffer;
  bit: boolean;
  table: FieldTable;
}

export type WireType = keyof WireTypes;

export interface MethodShape {
  readonly id: readonly [classId: number, methodId: number];
  readonly fields: Readonly<Record<string, WireType>>;
  /** A header and a body follow it. */
  readonly content?: true;
}

/** Of methods by their names, as in RabbitMQ's published protocol definition. */
export type MethodShapes = Readonly<Record<string, MethodShape>>;
