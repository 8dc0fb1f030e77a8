import { preconditionFailed, unexpectedFrame } from '../amqp-fault.js';
import type { Frame } from '../wire/frame-parser.js';
import { FrameType } from '../wire/frame-parser.js';
import type { Content } from '../wire/frame-writer.js';
import type { Method } from '../wire/method-codec.js';
import { WireReader } from '../wire/wire-reader.js';

const BASIC_CLASS = 60;
// RabbitMQ's own default.
const MAX_MESSAGE_SIZE = 134_217_728n;

/** Puts together the header and the body that follow a method with content. */
export class ContentAssembly {
  #properties: Buffer | undefined;
  #size = 0n;
  #left = 0n;
  #parts: Buffer[] = [];

  constructor(readonly method: Method) {}

  /**
   * Takes the next frame.
   *
   * @returns the whole content; undefined while some of it is to come
   * @throws AmqpFault when it is not a part of it
   */
  take({ type, payload }: Frame): Content | undefined {
    if (this.#properties === undefined) return this.#header(type, payload);
    if (type !== FrameType.body) {
      throw unexpectedFrame('expected content body, got non content body frame instead');
    }
    this.#left -= BigInt(payload.length);
    // What came with it in the same chunk would stay in memory as long as the message.
    const isAll = this.#left === 0n && this.#parts.length === 0;
    // What is more than was announced is never whole; RabbitMQ waits for what ends it.
    if (this.#isKept) this.#parts.push(isAll ? Buffer.from(payload) : payload);
    else this.#parts = [];
    return this.#whole(this.#properties);
  }

  get #isKept(): boolean {
    return this.#left >= 0n && this.#size <= MAX_MESSAGE_SIZE;
  }

  #header(type: number, payload: Buffer): Content | undefined {
    const reader = new WireReader(payload);
    const classId = type === FrameType.header ? reader.short() : 0;
    if (type !== FrameType.header || reader.short() !== 0) {
      throw unexpectedFrame(
        `expected content header for class ${BASIC_CLASS}, got non content header frame instead`,
      );
    }
    if (classId !== BASIC_CLASS) {
      throw unexpectedFrame(
        `expected content header for class ${BASIC_CLASS}, got one for class ${classId} instead`,
      );
    }
    this.#size = reader.longlong();
    this.#left = this.#size;
    this.#properties = Buffer.from(reader.raw(reader.left));
    return this.#whole(this.#properties);
  }

  #whole(properties: Buffer): Content | undefined {
    if (this.#left !== 0n) return undefined;
    if (this.#size > MAX_MESSAGE_SIZE) {
      throw preconditionFailed(
        `message size ${this.#size} is larger than configured max size ${MAX_MESSAGE_SIZE}`,
      );
    }
    const [only, second] = this.#parts;
    const body = second === undefined && only !== undefined ? only : Buffer.concat(this.#parts);
    return { properties, body };
  }
}
