import type { FieldTable, FieldValue } from './field-value.js';

const INITIAL = 4_096;

/** Writes AMQP's types into one growing run of bytes. */
export class WireWriter {
  #bytes: Buffer;
  #at = 0;

  constructor(size = INITIAL) {
    this.#bytes = Buffer.allocUnsafe(size);
  }

  get length(): number {
    return this.#at;
  }

  /** Hands out what was written, and begins anew. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#at);
    this.#bytes = Buffer.allocUnsafe(INITIAL);
    this.#at = 0;
    return taken;
  }

  octet(value: number): void {
    this.#grow(1);
    this.#at = this.#bytes.writeUInt8(value, this.#at);
  }

  short(value: number): void {
    this.#grow(2);
    this.#at = this.#bytes.writeUInt16BE(value, this.#at);
  }

  long(value: number): void {
    this.#grow(4);
    this.#at = this.#bytes.writeUInt32BE(value, this.#at);
  }

  longlong(value: number | bigint): void {
    this.#grow(8);
    this.#at = this.#bytes.writeBigUInt64BE(BigInt(value), this.#at);
  }

  /** Cut to the 255 bytes that it can hold. */
  shortstr(value: string): void {
    const length = Math.min(Buffer.byteLength(value), 255);
    this.octet(length);
    this.#grow(length);
    this.#at += this.#bytes.write(value, this.#at, length, 'utf8');
  }

  longstr(value: Buffer): void {
    this.long(value.length);
    this.raw(value);
  }

  raw(value: Buffer): void {
    this.#grow(value.length);
    this.#at += value.copy(this.#bytes, this.#at);
  }

  table(table: FieldTable): void {
    const size = this.reserveLong();
    for (const [key, value] of table) {
      this.shortstr(key);
      this.#value(value);
    }
    this.patchLong(size);
  }

  /** Leaves room for the length of what follows. @returns where */
  reserveLong(): number {
    this.#grow(4);
    this.#at += 4;
    return this.#at - 4;
  }

  /** Writes into `reserved` how many bytes have followed it. */
  patchLong(reserved: number): void {
    this.#bytes.writeUInt32BE(this.#at - reserved - 4, reserved);
  }

  #grow(length: number): void {
    const needed = this.#at + length;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }

  #tag(letter: string): void {
    this.octet(letter.codePointAt(0) ?? 0);
  }

  #value(field: FieldValue): void {
    switch (field.type) {
      case 'longstr':
        this.#tag('S');
        this.longstr(field.value);
        return;
      case 'signedint':
        this.#tag('I');
        this.#grow(4);
        this.#at = this.#bytes.writeInt32BE(field.value, this.#at);
        return;
      case 'table':
        this.#tag('F');
        this.table(field.value);
        return;
      case 'array': {
        this.#tag('A');
        const size = this.reserveLong();
        for (const value of field.value) this.#value(value);
        this.patchLong(size);
        return;
      }
      case 'bool':
        this.#tag('t');
        this.octet(field.value ? 1 : 0);
        return;
      case 'long':
        this.#tag('l');
        this.#grow(8);
        this.#at = this.#bytes.writeBigInt64BE(field.value, this.#at);
        return;
      case 'byte':
        this.#tag('b');
        this.#grow(1);
        this.#at = this.#bytes.writeInt8(field.value, this.#at);
        return;
      case 'unsignedbyte':
        this.#tag('B');
        this.octet(field.value);
        return;
      case 'short':
        this.#tag('s');
        this.#grow(2);
        this.#at = this.#bytes.writeInt16BE(field.value, this.#at);
        return;
      case 'unsignedshort':
        this.#tag('u');
        this.short(field.value);
        return;
      case 'unsignedint':
        this.#tag('i');
        this.long(field.value);
        return;
      case 'double':
        this.#tag('d');
        this.#grow(8);
        this.#at = this.#bytes.writeDoubleBE(field.value, this.#at);
        return;
      case 'float':
        this.#tag('f');
        this.#grow(4);
        this.#at = this.#bytes.writeFloatBE(field.value, this.#at);
        return;
      case 'decimal':
        this.#tag('D');
        this.octet(field.scale);
        this.long(field.value);
        return;
      case 'timestamp':
        this.#tag('T');
        this.longlong(field.value);
        return;
      case 'binary':
        this.#tag('x');
        this.longstr(field.value);
        return;
      case 'void':
        this.#tag('V');
    }
  }
}
