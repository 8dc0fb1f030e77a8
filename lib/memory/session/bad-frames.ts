import { AmqpFault, INTERNAL_ERROR, frameError, unexpectedFrame } from '../amqp-fault.js';
import { binaryOf, octetsOf } from '../wire/erlang-term.js';
import { FRAME_OVERHEAD } from '../wire/frame-parser.js';
import type { BadFrame, Frame } from '../wire/frame-parser.js';
import { UndecodableError } from '../wire/method-codec.js';
import type { MethodName } from '../wire/method-table.js';
import { MalformedError } from '../wire/wire-reader.js';

// As many octets of a payload as RabbitMQ shows.
const SHOWN = 16;

/** The first octets of a payload, as RabbitMQ's texts show them. */
const snippetOf = (payload: Buffer): string =>
  payload.length <= SHOWN
    ? `all octets = ${binaryOf(payload)}`
    : `first ${SHOWN} octets = ${binaryOf(payload.subarray(0, SHOWN))}`;

export function badFrame(bad: BadFrame, frameMax: number): AmqpFault {
  const { problem, type, size, end, payload } = bad;
  const error =
    problem === 'too-large'
      ? `{frame_too_large,${size},${frameMax - FRAME_OVERHEAD}}`
      : `{invalid_frame_end_marker,${end}}`;
  return frameError(`type ${type}, ${snippetOf(payload)}: ${error}`);
}

/** Of no kind, or not of the shape of its kind. */
export const unknownFrame = ({ type, payload }: Frame): AmqpFault =>
  frameError(`type ${type}, ${snippetOf(payload)}: unknown_frame`);

/** Of a kind that has no place on its channel. */
export const misplacedFrame = ({ type, payload }: Frame): AmqpFault =>
  unexpectedFrame(`type ${type}, ${snippetOf(payload)}`);

/** What a client is told of an error, and of which method. @returns undefined when it is told nothing */
export function toldOf(error: unknown): { fault: AmqpFault; method?: MethodName } | undefined {
  if (error instanceof AmqpFault) return { fault: error };
  if (error instanceof UndecodableError) {
    const { bytes, method } = error;
    if (bytes === undefined) return { fault: frameError('Malformed UTF-8 in shortstr') };
    return { fault: frameError(`cannot decode ${octetsOf(bytes)}`), method };
  }
  // RabbitMQ dies of what it cannot read.
  if (error instanceof MalformedError) return undefined;
  return { fault: new AmqpFault(INTERNAL_ERROR, String(error)) };
}
