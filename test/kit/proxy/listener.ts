import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/**
 * Ports are taken below the range that Linux gives to outgoing connections (32768 and up): a dial to a refused port in
 * that range can be given the very port as its source and then connects to itself.
 */
const FIRST_PORT = 11_000;
const PORTS = 9_000;
const ATTEMPTS = 50;

/** A TCP listener that can stop and start again on the same port. */
export class Listener {
  port: number;
  private server: Server | undefined;

  constructor(
    private readonly host: string,
    port: number | undefined,
    private readonly accept: (socket: Socket) => void,
  ) {
    this.port = port ?? 0;
  }

  async listen(): Promise<void> {
    if (this.server) return;
    if (this.port !== 0) return this.open(this.port);
    for (let attempt = 1; ; attempt++) {
      const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
      try {
        await this.open(port);
        this.port = port;
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt === ATTEMPTS)
          throw error;
      }
    }
  }

  /** The kernel refuses from here on; accepted connections live on. */
  refuse(): void {
    this.server?.close();
    this.server = undefined;
  }

  private async open(port: number): Promise<void> {
    // Half-open: a FIN is passed on by the pump in its turn, not answered by node.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, this.accept);
    server.listen(port, this.host);
    await once(server, 'listening');
    this.server = server;
  }
}
