import type { Socket } from 'node:net';
import { dialledSocket } from './dialled-socket.js';

const HEAD = 7;
const MAX_HANDSHAKE_FRAME = 1024 * 1024;
const CONNECTION_OPEN_OK = 0x000a0029;

/**
 * Runs `dial`, and holds back what its socket, TCP or TLS, receives after `connection.open-ok` until the returned function
 * is called.
 *
 * amqplib works off such frames before it hands over the connection. A `connection.close` or an illegal frame among them
 * would find no 'error' listener, and the throw of the missing listener would end the process.
 */
export function dialThroughGate(dial: () => void): () => void {
  const socket = dialledSocket(dial);
  return socket === undefined ? () => {} : gate(socket);
}

function gate(socket: Socket): () => void {
  const read = socket.read.bind(socket);
  let held: Buffer = Buffer.alloc(0);
  let open = false;
  const next = (size?: number): Buffer | null => {
    // Node's own way to go on receiving; it would drop a frame that it got.
    if (size === 0) return read(0) as null;
    if (open) return null;
    if (frameLength(held) > held.length) {
      const chunk: unknown = read();
      if (!(chunk instanceof Buffer)) return null;
      held = Buffer.concat([held, chunk]);
    }
    const length = frameLength(held);
    if (length > held.length) return null;
    const frame = held.subarray(0, length);
    held = held.subarray(length);
    open = length >= HEAD + 4 && frame[0] === 1 && frame.readUInt32BE(HEAD) === CONNECTION_OPEN_OK;
    return frame;
  };
  socket.read = next;
  return () => {
    if (socket.read === next) Reflect.deleteProperty(socket, 'read');
    if (held.length > 0 && !socket.destroyed) socket.unshift(held);
    held = Buffer.alloc(0);
  };
}

/** Of the first frame; of everything when it is no frame, which amqplib then refuses in its own words. */
function frameLength(bytes: Buffer): number {
  if (bytes.length < HEAD) return HEAD;
  const size = bytes.readUInt32BE(3);
  return size > MAX_HANDSHAKE_FRAME ? bytes.length : HEAD + size + 1;
}
