import { headerFields } from './header-fields.js';
import { methodFields } from './method-fields.js';
import { methodName } from './method-names.js';
import type { WireFrame } from './wire-frame.js';

const HEAD = 7;
const FRAME_END = 0xce;
const PROTOCOL_HEADER = 8;
const LETTER_A = 0x41;
const TYPES: ReadonlySet<number> = new Set([1, 2, 3, 8]);
/** A larger announced size is taken for garbage, so that the proxy does not collect it. */
const LARGEST_FRAME = 128 * 1024 * 1024;

/**
 * Cuts one direction of an AMQP 0-9-1 connection into frames, whatever the chunks it comes in. Each byte is copied at
 * most once. From the first byte that cannot be AMQP on, chunks come out as `opaque`, unchanged and at once.
 */
export class FrameParser {
  private chunks: Buffer[] = [];
  private size = 0;
  private needed = 1;
  private opaque = false;

  push(chunk: Buffer): WireFrame[] {
    this.chunks.push(chunk);
    this.size += chunk.length;
    if (this.size < this.needed) return [];
    const frames: WireFrame[] = [];
    let bytes = this.takeAll();
    while (bytes.length > 0) {
      const length = this.opaque ? bytes.length : frameLength(bytes);
      if (length > bytes.length) {
        this.needed = length;
        break;
      }
      const frame = length > 0 ? decode(bytes.subarray(0, length)) : opaque(bytes);
      this.opaque ||= frame.method === 'opaque';
      // What follows a broken frame is of no known shape, so it goes with it.
      const taken = this.opaque ? opaque(bytes) : frame;
      frames.push(taken);
      bytes = bytes.subarray(taken.bytes.length);
    }
    if (bytes.length > 0) {
      this.chunks.push(bytes);
      this.size = bytes.length;
    } else this.needed = 1;
    return frames;
  }

  /** What is left at the end of the stream: the beginning of a frame, or nothing. */
  rest(): Buffer {
    return this.takeAll();
  }

  private takeAll(): Buffer {
    const [only] = this.chunks;
    const all = this.chunks.length === 1 && only ? only : Buffer.concat(this.chunks);
    this.chunks = [];
    this.size = 0;
    return all;
  }
}

/** Bytes needed to go on (more than there are while the head is incomplete); 0 when it is no frame. */
function frameLength(bytes: Buffer): number {
  const type = bytes[0] ?? 0;
  if (type === LETTER_A) {
    const seen = bytes.subarray(0, Math.min(4, bytes.length));
    return seen.equals(Buffer.from('AMQP').subarray(0, seen.length)) ? PROTOCOL_HEADER : 0;
  }
  if (!TYPES.has(type)) return 0;
  if (bytes.length < HEAD) return HEAD;
  const payload = bytes.readUInt32BE(3);
  return payload > LARGEST_FRAME ? 0 : HEAD + payload + 1;
}

function decode(bytes: Buffer): WireFrame {
  if (bytes[0] === LETTER_A) return { channel: 0, method: 'protocol-header', fields: {}, bytes };
  if (bytes.at(-1) !== FRAME_END) return opaque(bytes);
  const channel = bytes.readUInt16BE(1);
  const payload = bytes.subarray(HEAD, -1);
  switch (bytes.readUInt8(0)) {
    case 1: {
      if (payload.length < 4) return { channel, method: 'unknown', fields: {}, bytes };
      const method = methodName(payload.readUInt16BE(0), payload.readUInt16BE(2)) ?? 'unknown';
      return { channel, method, fields: methodFields(method, payload), bytes };
    }
    case 2:
      return { channel, method: 'header', fields: headerFields(payload), bytes };
    case 3:
      return { channel, method: 'body', fields: { size: payload.length }, bytes };
    default:
      return { channel, method: 'heartbeat', fields: {}, bytes };
  }
}

function opaque(bytes: Buffer): WireFrame {
  return { channel: 0, method: 'opaque', fields: {}, bytes };
}
