import { frameError } from '../amqp-fault.js';
import type { AmqpFault } from '../amqp-fault.js';
import { FRAME_OVERHEAD } from '../wire/frame-parser.js';
import type { BadFrame } from '../wire/frame-parser.js';

// As many octets of a payload as RabbitMQ shows.
const SHOWN = 16;

/** How Erlang writes bytes. */
const bytesIn = (payload: Buffer): string => `<<${[...payload].join(',')}>>`;

/** The first octets of a payload, as RabbitMQ's texts show them. */
export const snippetOf = (payload: Buffer): string =>
  payload.length <= SHOWN
    ? `all octets = ${bytesIn(payload)}`
    : `first ${SHOWN} octets = ${bytesIn(payload.subarray(0, SHOWN))}`;

export function badFrame(bad: BadFrame, frameMax: number): AmqpFault {
  const { problem, type, size, end, payload } = bad;
  const error =
    problem === 'too-large'
      ? `{frame_too_large,${size},${frameMax - FRAME_OVERHEAD}}`
      : `{invalid_frame_end_marker,${end}}`;
  return frameError(`type ${type}, ${snippetOf(payload)}: ${error}`);
}
