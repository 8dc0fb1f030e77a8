export type FieldType = 'bit' | 'octet' | 'short' | 'long' | 'longlong' | 'shortstr' | 'longstr';

/** Reads AMQP 0-9-1 fields one after another; a read past the end throws a `RangeError`. */
export class FieldReader {
  private bits = 0;
  private bitsLeft = 0;

  constructor(
    private readonly payload: Buffer,
    private offset: number,
  ) {}

  read(type: FieldType): boolean | number | string {
    if (type === 'bit') return this.bit();
    this.bitsLeft = 0;
    switch (type) {
      case 'octet':
        return this.payload.readUInt8(this.take(1));
      case 'short':
        return this.payload.readUInt16BE(this.take(2));
      case 'long':
        return this.payload.readUInt32BE(this.take(4));
      case 'longlong':
        return Number(this.payload.readBigUInt64BE(this.take(8)));
      case 'shortstr':
        return this.text(this.payload.readUInt8(this.take(1)));
      case 'longstr':
        return this.text(this.payload.readUInt32BE(this.take(4)));
    }
    return type satisfies never;
  }

  private bit(): boolean {
    // Consecutive bits share octets, lowest bit first.
    if (this.bitsLeft === 0) {
      this.bits = this.payload.readUInt8(this.take(1));
      this.bitsLeft = 8;
    }
    const value = (this.bits & 1) === 1;
    this.bits >>= 1;
    this.bitsLeft -= 1;
    return value;
  }

  private text(length: number): string {
    const start = this.take(length);
    if (this.offset > this.payload.length) throw new RangeError('string runs past the frame');
    return this.payload.toString('utf8', start, this.offset);
  }

  private take(size: number): number {
    const start = this.offset;
    this.offset += size;
    return start;
  }
}
