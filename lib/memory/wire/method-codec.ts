import { isUtf8 } from 'node:buffer';
import { methodTable } from './method-table.js';
import type { Fields, MethodName, WireType } from './method-table.js';
import { MalformedError, WireReader } from './wire-reader.js';
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

/** The fields of a method are not what they should be. */
export class UndecodableError extends MalformedError {
  constructor(
    readonly method: MethodName,
    /** Undefined: a text is no UTF-8. */
    readonly bytes?: Buffer,
  ) {
    super(`the fields of ${method}`);
  }
}

/**
 * Reads the payload of a method frame.
 *
 * @throws UndecodableError when its fields do not fill it
 * @throws MalformedError for a method that the protocol does not have, and for what a table holds
 */
export function decodeMethod(payload: Buffer): Method {
  const reader = new WireReader(payload);
  const codec = byId.get(key(reader.short(), reader.short()));
  if (codec === undefined) throw new MalformedError('there is no such method');
  const { name } = codec;
  const fields = cut(codec, payload);
  for (const [field, type] of codec.fields) {
    const value = fields[field];
    if (type === 'table') fields[field] = new WireReader(value as Buffer).restAsTable();
    if (type !== 'shortstr') continue;
    // A publish is forwarded as it came.
    if (name !== 'basic.publish' && !isUtf8(value as Buffer)) throw new UndecodableError(name);
    fields[field] = (value as Buffer).toString();
  }
  return { name, fields };
}

/** Tables and texts are cut out and not read: their contents are looked at when all is there. */
function cut({ name, fields }: Codec, payload: Buffer): Record<string, unknown> {
  const reader = new WireReader(payload.subarray(4));
  const values: Record<string, unknown> = {};
  let bits = 0;
  let bit = 8;
  try {
    for (const [field, type] of fields) {
      if (type === 'bit') {
        // Bits that follow each other share an octet, the first in the lowest place.
        if (bit === 8) {
          bits = reader.octet();
          bit = 0;
        }
        values[field] = (bits & (1 << bit)) !== 0;
        bit += 1;
      } else {
        bit = 8;
        values[field] = plain(reader, type);
      }
    }
    if (reader.left > 0) throw new MalformedError(`${reader.left} bytes too many`);
  } catch {
    throw new UndecodableError(name, payload.subarray(4));
  }
  return values;
}

function plain(reader: WireReader, type: Exclude<WireType, 'bit'>): unknown {
  if (type === 'longlong') return Number(reader.longlong());
  if (type === 'table' || type === 'longstr') return reader.longstr();
  return type === 'shortstr' ? reader.raw(reader.octet()) : reader[type]();
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
