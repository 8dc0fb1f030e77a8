/** The integer types of a field that fit into a number. */
export type SmallInteger =
  'byte' | 'unsignedbyte' | 'short' | 'unsignedshort' | 'signedint' | 'unsignedint';

/**
 * A value of a field table with its type, named as RabbitMQ names it in reply texts. The type is kept, since a table that is
 * delivered must be the one that was published.
 */
export type FieldValue =
  | { readonly type: SmallInteger | 'double' | 'float'; readonly value: number }
  | { readonly type: 'long' | 'timestamp'; readonly value: bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'longstr' | 'binary'; readonly value: Buffer }
  | { readonly type: 'decimal'; readonly value: number; readonly scale: number }
  | { readonly type: 'void'; readonly value: undefined }
  | { readonly type: 'table'; readonly value: FieldTable }
  | { readonly type: 'array'; readonly value: readonly FieldValue[] };

export type FieldTable = ReadonlyMap<string, FieldValue>;

export const emptyTable: FieldTable = new Map();

export const longstr = (text: string): FieldValue => ({
  type: 'longstr',
  value: Buffer.from(text),
});

export const long = (value: number): FieldValue => ({ type: 'long', value: BigInt(value) });

const integers = new Set<FieldValue['type']>([
  'byte',
  'unsignedbyte',
  'short',
  'unsignedshort',
  'signedint',
  'unsignedint',
  'long',
  'timestamp',
]);

/** @returns the number of an integer field; undefined for any other type */
export const integerOf = (field: FieldValue | undefined): number | undefined =>
  field !== undefined && integers.has(field.type) ? Number(field.value) : undefined;

/** @returns the text of a longstr; undefined for any other type */
export const textOf = (field: FieldValue | undefined): string | undefined =>
  field?.type === 'longstr' ? field.value.toString() : undefined;

/** Whether both are the same to Erlang's ==, whatever their types: 1 is 1.0, and a time is a number. */
export function sameTerm(one: FieldValue, other: FieldValue): boolean {
  const number = numberOf(one);
  if (number !== undefined) return number === numberOf(other);
  if (Buffer.isBuffer(one.value) && Buffer.isBuffer(other.value)) {
    return one.value.equals(other.value);
  }
  return sameValue(one, other);
}

/** Whether both are of the same type and hold the same value. */
export function sameValue(one: FieldValue, other: FieldValue): boolean {
  if (one.type !== other.type) return false;
  if (Buffer.isBuffer(one.value)) return one.value.equals(other.value as Buffer);
  if (one.type === 'array') return sameArray(one.value, other.value as readonly FieldValue[]);
  if (one.type === 'table') return sameTable(one.value, other.value as FieldTable);
  if (one.type === 'decimal' && other.type === 'decimal' && one.scale !== other.scale) return false;
  return one.value === other.value;
}

const numberOf = (field: FieldValue): number | undefined =>
  field.type === 'double' || field.type === 'float' ? field.value : integerOf(field);

const sameArray = (one: readonly FieldValue[], other: readonly FieldValue[]): boolean =>
  one.length === other.length &&
  one.every((value, index) => {
    const counterpart = other[index];
    return counterpart !== undefined && sameValue(value, counterpart);
  });

export const sameTable = (one: FieldTable, other: FieldTable): boolean =>
  one.size === other.size &&
  [...one].every(([key, value]) => {
    const counterpart = other.get(key);
    return counterpart !== undefined && sameValue(value, counterpart);
  });
