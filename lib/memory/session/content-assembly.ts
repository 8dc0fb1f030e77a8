import { preconditionFailed, unexpectedFrame } from '../amqp-fault.js';
import type { Frame } from '../wire/frame-parser.js';
import { FrameType } from '../wire/frame-parser.js';
import type { Content } from '../wire/frame-writer.js';
import type { Method } from '../wire/method-codec.js';
import { WireReader } from '../wire/wire-reader.js';

const BASIC_CLASS = 60;
// RabbitMQ's own default.
const MAX_MESSAGE_SIZE = 134_217_728;

/** A method that is whole, with its content if it has one. */
export interface WholeMethod {
  readonly method: Method;
  readonly content: Content | undefined;
}

/** Puts together the header and the body that follow a method with content. */
export class ContentAssembly {
  #properties: Buffer | undefined;
  #left = 0;
  readonly #parts: Buffer[] = [];

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
    if (payload.length > this.#left) {
      throw unexpectedFrame('the content body is longer than its header says');
    }
    this.#left -= payload.length;
    // What came with it in the same chunk would stay in memory as long as the message.
    this.#parts.push(this.#left === 0 && this.#parts.length === 0 ? Buffer.from(payload) : payload);
    return this.#whole(this.#properties);
  }

  #header(type: number, payload: Buffer): Content | undefined {
    if (type !== FrameType.header) {
      throw unexpectedFrame(
        `expected content header for class ${BASIC_CLASS}, got non content header frame instead`,
      );
    }
    const reader = new WireReader(payload);
    const classId = reader.short();
    if (classId !== BASIC_CLASS) {
      throw unexpectedFrame(
        `expected content header for class ${BASIC_CLASS}, got one for class ${classId} instead`,
      );
    }
    reader.short();
    const size = reader.longlong();
    if (size > MAX_MESSAGE_SIZE) {
      throw preconditionFailed(
        `message size ${size} is larger than configured max size ${MAX_MESSAGE_SIZE}`,
      );
    }
    this.#left = Number(size);
    this.#properties = Buffer.from(reader.raw(reader.left));
    return this.#whole(this.#properties);
  }

  #whole(properties: Buffer): Content | undefined {
    if (this.#left > 0) return undefined;
    const [only, second] = this.#parts;
    const body = second === undefined && only !== undefined ? only : Buffer.concat(this.#parts);
    return { properties, body };
  }
}
