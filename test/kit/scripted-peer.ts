import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TlsOptions } from 'node:tls';
import * as frames from './amqp-frames.js';
import { FrameParser } from './proxy/frame-parser.js';
import type { WireFrame } from './proxy/wire-frame.js';

/** Answers one frame of a client: bytes to send, or nothing. */
export type Answer = (frame: WireFrame, session: PeerSession) => Buffer | undefined;
export type Script = Record<string, Answer>;

/** What a broker without queues says: enough to open connections and channels and to close them. */
const POLITE: Script = {
  'protocol-header': () => frames.connectionStart(),
  'connection.start-ok': () => frames.connectionTune(),
  'connection.open': () => frames.connectionOpenOk(),
  'connection.close': () => frames.connectionCloseOk(),
  'channel.open': ({ channel }) => frames.channelOpenOk(channel),
  'channel.close': ({ channel }) => frames.channelCloseOk(channel),
  'confirm.select': ({ channel }) => frames.confirmSelectOk(channel),
  'queue.declare': ({ channel, fields }) => frames.queueDeclareOk(channel, fields.queue ?? ''),
  'basic.consume': ({ channel, fields }) => frames.consumeOk(channel, fields.consumerTag || 'ctag'),
  'basic.cancel': ({ channel, fields }) => frames.cancelOk(channel, fields.consumerTag ?? ''),
  'basic.qos': ({ channel }) => frames.qosOk(channel),
};

/** One accepted connection. */
export class PeerSession {
  readonly received: WireFrame[] = [];
  readonly #parser = new FrameParser();
  #waiting: { name: string; nth: number; resolve: (frame: WireFrame) => void }[] = [];

  constructor(
    readonly socket: Socket,
    script: Script,
  ) {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      for (const frame of this.#parser.push(chunk)) {
        this.received.push(frame);
        const answer = script[frame.method]?.(frame, this);
        if (answer !== undefined && socket.writable) socket.write(answer);
        this.#tell();
      }
    });
  }

  send(...bytes: Buffer[]): void {
    this.socket.write(Buffer.concat(bytes));
  }

  count(name: string): number {
    return this.received.filter((frame) => frame.method === name).length;
  }

  /** The nth frame of this name, now or when it comes. */
  seen(name: string, nth = 1): Promise<WireFrame> {
    return new Promise((resolve) => {
      this.#waiting.push({ name, nth, resolve });
      this.#tell();
    });
  }

  #tell(): void {
    this.#waiting = this.#waiting.filter((waiter) => {
      const frame = this.received.filter(({ method }) => method === waiter.name)[waiter.nth - 1];
      if (frame === undefined) return true;
      waiter.resolve(frame);
      return false;
    });
  }
}

/** A TCP peer on loopback that answers frames as its script says; what the script leaves out is answered politely. */
export class ScriptedPeer {
  readonly sessions: PeerSession[] = [];
  #arrived: (() => void)[] = [];

  private constructor(private readonly server: Server) {}

  static async listen(script: Script = {}, tls?: TlsOptions): Promise<ScriptedPeer> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    const peer = new ScriptedPeer(server);
    server.on('tlsClientError', () => {});
    server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      peer.sessions.push(new PeerSession(socket, { ...POLITE, ...script }));
      for (const arrived of peer.#arrived.splice(0)) arrived();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return peer;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The nth connection, from 1, now or when it comes. */
  async session(nth = 1): Promise<PeerSession> {
    for (;;) {
      const session = this.sessions[nth - 1];
      if (session !== undefined) return session;
      await new Promise<void>((resolve) => {
        this.#arrived.push(resolve);
      });
    }
  }

  close(): Promise<void> {
    for (const { socket } of this.sessions) socket.destroy();
    return new Promise((resolve) => {
      this.server.close(() => resolve());
    });
  }
}

/** A script that says nothing more once it gets this frame. */
export const silence: Answer = () => undefined;
