import type { FieldTable, FieldValue } from './field-value.js';

const escapes: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\u001B': '\\e',
  '"': '\\"',
  '\\': '\\\\',
};

/** Bytes as Erlang's ~w writes them. */
export const octetsOf = (bytes: Buffer): string => `<<${[...bytes].join(',')}>>`;

/** Bytes as Erlang's ~p writes them: what can be read is text. */
export function binaryOf(bytes: Buffer): string {
  const text = Array.from(bytes, (octet) => {
    const one = String.fromCodePoint(octet);
    const isPlain = one >= ' ' && one <= '~';
    return escapes[one] ?? (isPlain ? one : undefined);
  });
  if (text.length === 0 || text.includes(undefined)) return octetsOf(bytes);
  return `<<"${text.join('')}">>`;
}

/** A text as Erlang's ~p writes it. */
export const stringOf = (text: string): string => binaryOf(Buffer.from(text)).slice(2, -2);

/** The value of a field as Erlang's ~p writes it, in RabbitMQ's reply texts. */
export function termOf(field: FieldValue): string {
  if (field.type === 'longstr' || field.type === 'binary') return binaryOf(field.value);
  if (field.type === 'decimal') return `{${field.scale},${field.value}}`;
  if (field.type === 'table') return tableTerm(field.value);
  if (field.type === 'array') {
    return `[${field.value.map((one) => `{${one.type},${termOf(one)}}`).join(',')}]`;
  }
  const isFloat = field.type === 'double' || field.type === 'float';
  // Erlang tells 1.0 from 1.
  return isFloat && Number.isInteger(field.value) ? field.value.toFixed(1) : String(field.value);
}

const tableTerm = (table: FieldTable): string =>
  `[${[...table]
    .map(([key, one]) => `{${binaryOf(Buffer.from(key))},${one.type},${termOf(one)}}`)
    .join(',')}]`;
