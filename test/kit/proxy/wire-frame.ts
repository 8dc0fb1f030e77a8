import type { FrameFields } from './method-fields.js';
import type { MethodName } from './method-names.js';

/** Who sent a frame: frames of `client` run from the client to the broker. */
export type Direction = 'client' | 'broker';

/**
 * A method's name or the kind of a frame without one. `unknown` is a method frame with an id outside the
 * specification; `opaque` is a chunk of bytes of a stream that is not, or no longer, AMQP 0-9-1 (TLS, HTTP, garbage).
 */
export type FrameName =
  MethodName | 'header' | 'body' | 'heartbeat' | 'protocol-header' | 'unknown' | 'opaque';

/** One frame cut out of the stream. */
export interface WireFrame {
  readonly channel: number;
  readonly method: FrameName;
  readonly fields: FrameFields;
  /** The whole frame: head, payload and end octet. */
  readonly bytes: Buffer;
}

/** A frame as it is recorded and matched: without its bytes. */
export interface RecordedFrame {
  /** Order of arrival at the proxy, over all connections and both directions, from 0. */
  readonly index: number;
  /** Number of the TCP connection as accepted by the proxy, from 1. */
  readonly connection: number;
  readonly direction: Direction;
  readonly channel: number;
  readonly method: FrameName;
  readonly fields: FrameFields;
}
