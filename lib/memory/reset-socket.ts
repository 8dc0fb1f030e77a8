import type { Socket } from 'node:net';

/** Ends a connection at once, with a RST where it can: what is still to be written is not waited for. */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return;
  // A handle that is shutting down refuses to be reset, and would stay open.
  if (!socket.writableEnded) socket.resetAndDestroy();
  // A reset waits for what is to be written, which a peer that does not read never takes.
  socket.destroy();
}
