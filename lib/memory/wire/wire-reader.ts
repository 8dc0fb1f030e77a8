import type { FieldTable, FieldValue } from './field-value.js';

/** The bytes do not say what they should. RabbitMQ has no word for it: what reads them dies of it. */
export class MalformedError extends Error {}

// A frame holds at most 128 KiB, so deeper nesting than this is an attempt on the stack.
const MAX_DEPTH = 256;

/** Reads AMQP's types from the payload of a frame. Every read checks the end. */
export class WireReader {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  get left(): number {
    return this.bytes.length - this.#at;
  }

  octet(): number {
    return this.bytes.readUInt8(this.#skip(1));
  }

  short(): number {
    return this.bytes.readUInt16BE(this.#skip(2));
  }

  long(): number {
    return this.bytes.readUInt32BE(this.#skip(4));
  }

  longlong(): bigint {
    return this.bytes.readBigUInt64BE(this.#skip(8));
  }

  shortstr(): string {
    const length = this.octet();
    const begin = this.#skip(length);
    return this.bytes.toString('utf8', begin, begin + length);
  }

  longstr(): Buffer {
    return this.raw(this.long());
  }

  raw(length: number): Buffer {
    const begin = this.#skip(length);
    return this.bytes.subarray(begin, begin + length);
  }

  table(depth = 0): FieldTable {
    const table = new Map<string, FieldValue>();
    const end = this.#end();
    while (this.#at < end) this.#field(table, depth);
    if (this.#at !== end) throw new MalformedError('a table ends in the middle of a field');
    return table;
  }

  /** A table that is as long as the bytes are. */
  restAsTable(): FieldTable {
    const table = new Map<string, FieldValue>();
    while (this.left > 0) this.#field(table, 0);
    return table;
  }

  /** What is said twice counts as it was said first. */
  #field(table: Map<string, FieldValue>, depth: number): void {
    const name = this.shortstr();
    const value = this.#value(depth);
    if (!table.has(name)) table.set(name, value);
  }

  #end(): number {
    const length = this.long();
    if (length > this.left)
      throw new MalformedError(`${length} bytes announced, ${this.left} left`);
    return this.#at + length;
  }

  #skip(length: number): number {
    const begin = this.#at;
    if (begin + length > this.bytes.length) {
      throw new MalformedError(`${length} bytes wanted, ${this.left} left`);
    }
    this.#at = begin + length;
    return begin;
  }

  #array(depth: number): FieldValue[] {
    const values: FieldValue[] = [];
    const end = this.#end();
    while (this.#at < end) values.push(this.#value(depth));
    if (this.#at !== end) throw new MalformedError('an array ends in the middle of a field');
    return values;
  }

  #value(depth: number): FieldValue {
    if (depth > MAX_DEPTH) throw new MalformedError(`fields nested deeper than ${MAX_DEPTH}`);
    const tag = String.fromCodePoint(this.octet());
    switch (tag) {
      case 'S':
        return { type: 'longstr', value: Buffer.from(this.longstr()) };
      case 'I':
        return { type: 'signedint', value: this.bytes.readInt32BE(this.#skip(4)) };
      case 'F':
        return { type: 'table', value: this.table(depth + 1) };
      case 'A':
        return { type: 'array', value: this.#array(depth + 1) };
      case 't':
        return { type: 'bool', value: this.octet() !== 0 };
      case 'l':
      case 'L':
        return { type: 'long', value: this.bytes.readBigInt64BE(this.#skip(8)) };
      case 'b':
        return { type: 'byte', value: this.bytes.readInt8(this.#skip(1)) };
      case 'B':
        return { type: 'unsignedbyte', value: this.octet() };
      case 's':
        return { type: 'short', value: this.bytes.readInt16BE(this.#skip(2)) };
      case 'u':
        return { type: 'unsignedshort', value: this.short() };
      case 'i':
        return { type: 'unsignedint', value: this.long() };
      case 'd':
        return { type: 'double', value: finite(this.bytes.readDoubleBE(this.#skip(8))) };
      case 'f':
        return { type: 'float', value: finite(this.bytes.readFloatBE(this.#skip(4))) };
      case 'D':
        return { type: 'decimal', scale: this.octet(), value: this.long() };
      case 'T':
        return { type: 'timestamp', value: this.longlong() };
      case 'x':
        return { type: 'binary', value: Buffer.from(this.longstr()) };
      case 'V':
        return { type: 'void', value: undefined };
      default:
        throw new MalformedError(`no field type ${JSON.stringify(tag)}`);
    }
  }
}

/** Erlang has no other numbers. */
function finite(value: number): number {
  if (!Number.isFinite(value)) throw new MalformedError(`${value} is no number`);
  return value;
}
