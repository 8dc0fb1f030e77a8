import { frameError, unexpectedFrame } from '../amqp-fault.js';
import type { AmqpFault } from '../amqp-fault.js';
import { binaryOf, octetsOf } from '../wire/erlang-term.js';
import { FRAME_OVERHEAD } from '../wire/frame-parser.js';
import type { BadFrame, Frame } from '../wire/frame-parser.js';
import type { UndecodableError } from '../wire/method-codec.js';

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

export const undecodable = ({ bytes }: UndecodableError): AmqpFault =>
  frameError(
    bytes === undefined ? 'Malformed UTF-8 in shortstr' : `cannot decode ${octetsOf(bytes)}`,
  );
