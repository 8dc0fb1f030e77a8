import { randomInt } from 'node:crypto';
import type { Server } from 'node:net';

// Below the ports that systems give to outgoing connections: while a broker is down, none may take its place, nor dial itself.
const LOWEST = 15_000;
const HIGHEST = 32_000;
const ATTEMPTS = 50;

/** Listens on loopback. @param port 0: any that is free @returns the port */
export async function listen(server: Server, port: number): Promise<number> {
  if (port !== 0) {
    await listenOn(server, port);
    return port;
  }
  for (let attempt = 1; ; attempt += 1) {
    const candidate = attempt > ATTEMPTS ? 0 : randomInt(LOWEST, HIGHEST);
    try {
      await listenOn(server, candidate);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE' && candidate !== 0) continue;
      throw error;
    }
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : candidate;
  }
}

const listenOn = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
