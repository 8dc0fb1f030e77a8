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

/** A value in a reply text. */
export const shownOf = ({ value }: FieldValue): string => {
  if (Buffer.isBuffer(value)) return value.toString();
  return typeof value === 'object' ? JSON.stringify([...value]) : String(value);
};

/** @returns the text of a longstr; undefined for any other type */
export const textOf = (field: FieldValue | undefined): string | undefined =>
  field?.type === 'longstr' ? field.value.toString() : undefined;

/** Whether both hold the same value; integers of another width are the same. */
export function sameValue(one: FieldValue, other: FieldValue): boolean {
  const number = integerOf(one);
  if (number !== undefined) return number === integerOf(other) && isTime(one) === isTime(other);
  if (one.type !== other.type) return false;
  if (Buffer.isBuffer(one.value)) return one.value.equals(other.value as Buffer);
  if (one.type === 'array') return sameArray(one.value, other.value as readonly FieldValue[]);
  if (one.type === 'table') return sameTable(one.value, other.value as FieldTable);
  return one.value === other.value;
}

const isTime = ({ type }: FieldValue): boolean => type === 'timestamp';

const sameArray = (one: readonly FieldValue[], other: readonly FieldValue[]): boolean =>
  one.length === other.length &&
  one.every((value, index) => {
    const counterpart = other[index];
    return counterpart !== undefined && sameValue(value, counterpart);
  });

const sameTable = (one: FieldTable, other: FieldTable): boolean =>
  one.size === other.size &&
  [...one].every(([key, value]) => {
    const counterpart = other.get(key);
    return counterpart !== undefined && sameValue(value, counterpart);
  });
