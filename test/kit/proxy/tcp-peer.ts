import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** One end of a TCP connection that remembers what it was told and how it ended. */
export class TcpPeer {
  ended = false;
  error: string | undefined;
  private length = 0;
  private readonly chunks: Buffer[] = [];
  private readonly changes = new Set<() => void>();

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.chunks.push(chunk);
      this.length += chunk.length;
      this.changed();
    });
    socket.on('end', () => {
      this.ended = true;
      this.changed();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code;
    });
    socket.on('close', () => {
      this.changed();
    });
    onTestFinished(() => {
      socket.destroy();
    });
  }

  get received(): Buffer {
    return Buffer.concat(this.chunks);
  }

  send(...parts: Buffer[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** Resolves once the fact is true; it is asked after everything that happens to this peer. */
  async until(fact: (peer: TcpPeer) => boolean): Promise<void> {
    if (fact(this)) return;
    await new Promise<void>((resolve) => {
      const check = () => {
        if (!fact(this)) return;
        this.changes.delete(check);
        resolve();
      };
      this.changes.add(check);
    });
  }

  async receives(bytes: Buffer): Promise<void> {
    await this.until(() => this.length >= bytes.length);
  }

  async closes(): Promise<void> {
    await this.until(({ socket }) => socket.closed);
  }

  private changed(): void {
    for (const check of this.changes) check();
  }
}

/** Dials and does not wait. */
export function dialling(port: number): TcpPeer {
  return new TcpPeer(connect({ port, host: '127.0.0.1', noDelay: true }));
}

/** Dials; resolves when the kernel has connected. */
export async function dial(port: number): Promise<TcpPeer> {
  const peer = dialling(port);
  await once(peer.socket, 'connect');
  return peer;
}

/** A server that only accepts. */
export class TcpServer {
  readonly accepted: TcpPeer[] = [];
  private readonly server: Server;
  private waiting: (() => void)[] = [];

  constructor() {
    this.server = createServer({ noDelay: true }, (socket) => {
      this.accepted.push(new TcpPeer(socket));
      for (const tell of this.waiting.splice(0)) tell();
    });
    onTestFinished(() => {
      this.server.close();
    });
  }

  async listen(): Promise<number> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    const address = this.server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  async connection(nth = 1): Promise<TcpPeer> {
    for (;;) {
      const peer = this.accepted[nth - 1];
      if (peer) return peer;
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
      });
    }
  }
}
