/** The kinds of frames. */
export const FrameType = { method: 1, header: 2, body: 3, heartbeat: 8 } as const;

export const FRAME_END = 0xce;
/** What a frame takes beside its payload. */
export const FRAME_OVERHEAD = 8;

const HEADER = 7;
const NOTHING = Buffer.alloc(0);

export interface Frame {
  readonly type: number;
  readonly channel: number;
  readonly payload: Buffer;
}

/** Whether a payload has the shape that its kind of frame asks for. */
export function isKnown({ type, payload: { length } }: Frame): boolean {
  if (type === FrameType.method) return length >= 4;
  // Class, weight and size.
  if (type === FrameType.header) return length >= 12;
  return type === FrameType.heartbeat ? length === 0 : type === FrameType.body;
}

/** Why what came is not a frame; nothing after it can be read. */
export interface BadFrame {
  readonly problem: 'too-large' | 'bad-end';
  readonly type: number;
  readonly channel: number;
  /** Of the payload that is announced. */
  readonly size: number;
  /** The octet that stands where a frame ends. */
  readonly end?: number;
  readonly payload: Buffer;
}

/** Cuts a stream into frames. Holds no more than one frame and what came with its end. */
export class FrameParser {
  #bytes: Buffer = NOTHING;
  #at = 0;
  /** The largest frame that may come, 8 octets around its payload included. */
  frameMax: number;

  constructor(frameMax: number) {
    this.frameMax = frameMax;
  }

  push(chunk: Buffer): void {
    const rest = this.#bytes.length - this.#at;
    this.#bytes = rest === 0 ? chunk : Buffer.concat([this.#bytes.subarray(this.#at), chunk]);
    this.#at = 0;
  }

  /** Takes the first `length` bytes as they are; undefined when they are not all there. */
  take(length: number): Buffer | undefined {
    if (this.#bytes.length - this.#at < length) return undefined;
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }

  /** The next frame; undefined until it is whole. */
  next(): Frame | BadFrame | undefined {
    const bytes = this.#bytes;
    const at = this.#at;
    if (bytes.length - at < HEADER) return undefined;
    const type = bytes.readUInt8(at);
    const channel = bytes.readUInt16BE(at + 1);
    const size = bytes.readUInt32BE(at + 3);
    // RabbitMQ forgives the 8 octets around a payload.
    if (size > this.frameMax) {
      return { problem: 'too-large', type, channel, size, payload: NOTHING };
    }
    const begin = at + HEADER;
    if (bytes.length <= begin + size) return undefined;
    const payload = bytes.subarray(begin, begin + size);
    const end = bytes.readUInt8(begin + size);
    if (end !== FRAME_END) return { problem: 'bad-end', type, channel, size, end, payload };
    this.#at = begin + size + 1;
    return { type, channel, payload };
  }
}
