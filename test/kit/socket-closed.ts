import type { Socket } from 'node:net';

/** Resolves when the socket is closed, by FIN or by RST. (`once` of node:events rejects on the error of a RST.) */
export const socketClosed = (socket: Socket): Promise<void> =>
  socket.closed
    ? Promise.resolve()
    : new Promise((resolve) => {
        socket.on('error', () => undefined);
        socket.once('close', () => resolve());
      });
