import { methodTable } from './method-table.js';
import type { Fields, MethodName, WireType } from './method-table.js';
import { WireReader } from './wire-reader.js';
import type { WireWriter } from './wire-writer.js';

interface Codec {
  readonly name: MethodName;
  readonly classId: number;
  readonly methodId: number;
  readonly fields: readonly (readonly [name: string, type: WireType])[];
}

/** A method and its fields, as a peer sent them. */
export interface Method<M extends MethodName = MethodName> {
  readonly name: M;
  readonly fields: Fields<M>;
}

const codecs = Object.fromEntries(
  Object.entries(methodTable).map(([name, { id, fields }]): [string, Codec] => [
    name,
    {
      name: name as MethodName,
      classId: id[0],
      methodId: id[1],
      fields: Object.entries(fields) as [string, WireType][],
    },
  ]),
) as Record<MethodName, Codec>;

const key = (classId: number, methodId: number): number => classId * 65_536 + methodId;

const byId = new Map(
  Object.values(codecs).map((codec) => [key(codec.classId, codec.methodId), codec]),
);

/** @returns class and method number */
export function idOf(method: MethodName): readonly [classId: number, methodId: number] {
  const { classId, methodId } = codecs[method];
  return [classId, methodId];
}

/**
 * Reads the payload of a method frame.
 *
 * @returns undefined for a method that the protocol does not have
 * @throws MalformedError
 */
export function decodeMethod(payload: Buffer): Method | undefined {
  const reader = new WireReader(payload);
  const codec = byId.get(key(reader.short(), reader.short()));
  if (codec === undefined) return undefined;
  const fields: Record<string, unknown> = {};
  let bits = 0;
  let bit = 8;
  for (const [name, type] of codec.fields) {
    if (type === 'bit') {
      // Bits that follow each other share an octet, the first in the lowest place.
      if (bit === 8) {
        bits = reader.octet();
        bit = 0;
      }
      fields[name] = (bits & (1 << bit)) !== 0;
      bit += 1;
    } else {
      bit = 8;
      fields[name] = type === 'longlong' ? Number(reader.longlong()) : reader[type]();
    }
  }
  return { name: codec.name, fields };
}

/** Writes the payload of a method frame. */
export function encodeMethod<M extends MethodName>(
  writer: WireWriter,
  method: M,
  fields: Fields<M>,
): void {
  const codec = codecs[method];
  writer.short(codec.classId);
  writer.short(codec.methodId);
  const values = fields as Readonly<Record<string, unknown>>;
  let bits = 0;
  let bit = 0;
  for (const [name, type] of codec.fields) {
    if (type === 'bit') {
      if (values[name] === true) bits |= 1 << bit;
      bit += 1;
    } else {
      if (bit > 0) writer.octet(bits);
      bits = 0;
      bit = 0;
      (writer[type] as (value: unknown) => void).call(writer, values[name]);
    }
  }
  if (bit > 0) writer.octet(bits);
}
