import { FRAME_END, FRAME_OVERHEAD, FrameType } from './frame-parser.js';
import { encodeMethod } from './method-codec.js';
import type { Fields, MethodName } from './method-table.js';
import { WireWriter } from './wire-writer.js';

const BASIC_CLASS = 60;

/** What follows a method with content. */
export interface Content {
  /** The flags and properties of the content header, as they stand on the wire. */
  readonly properties: Buffer;
  readonly body: Buffer;
}

/** Gathers frames until they are written to a socket in one go. */
export class FrameWriter {
  readonly #writer = new WireWriter();

  get length(): number {
    return this.#writer.length;
  }

  take(): Buffer {
    return this.#writer.take();
  }

  raw(bytes: Buffer): void {
    this.#writer.raw(bytes);
  }

  heartbeat(): void {
    this.#end(this.#begin(FrameType.heartbeat, 0));
  }

  method<M extends MethodName>(channel: number, method: M, fields: Fields<M>): void {
    const frame = this.#begin(FrameType.method, channel);
    encodeMethod(this.#writer, method, fields);
    this.#end(frame);
  }

  content(channel: number, { properties, body }: Content, frameMax: number): void {
    const writer = this.#writer;
    const frame = this.#begin(FrameType.header, channel);
    writer.short(BASIC_CLASS);
    writer.short(0);
    writer.longlong(body.length);
    writer.raw(properties);
    this.#end(frame);
    const most = frameMax - FRAME_OVERHEAD;
    for (let at = 0; at < body.length; at += most) {
      const part = this.#begin(FrameType.body, channel);
      writer.raw(body.subarray(at, at + most));
      this.#end(part);
    }
  }

  #begin(type: number, channel: number): number {
    this.#writer.octet(type);
    this.#writer.short(channel);
    return this.#writer.reserveLong();
  }

  #end(size: number): void {
    this.#writer.patchLong(size);
    this.#writer.octet(FRAME_END);
  }
}
