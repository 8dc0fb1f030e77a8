import type { Writable } from 'node:stream';

/**
 * Has all that is written to a socket in one go leave in one system call: amqplib writes each frame by itself, which took more
 * than half of its CPU. The first write corks the socket, the end of the running operation uncorks it, so nothing leaves later than it did.
 */
export function corkWrites(socket: Writable): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  let corked = false;
  const uncork = (): void => {
    corked = false;
    socket.uncork();
  };
  const corkedWrite = (...args: unknown[]): boolean => {
    if (!corked) {
      corked = true;
      socket.cork();
      process.nextTick(uncork);
    }
    return write(...args);
  };
  socket.write = corkedWrite as typeof socket.write;
}
