import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { AmqpFault } from './amqp-fault.js';
import type { BrokerStore } from './broker-store.js';
import { Faults } from './faults.js';
import { listen } from './ports.js';
import { resetSocket } from './reset-socket.js';
import { serverProperties } from './server-properties.js';
import type { ServerChannel } from './session/server-channel.js';
import { Session } from './session/session.js';
import type { Limits, SessionHost } from './session/session-host.js';

/** `refusing`: no new connections; those that it has go on. `hung`: as a stopped process, it neither reads nor answers. */
export type NodeState = 'down' | 'running' | 'refusing' | 'hung';

/** One node: its port, and the connections to it. */
export class BrokerNode implements SessionHost {
  readonly sessions = new Set<Session>();
  readonly replies = new Map<string, ServerChannel>();
  readonly faults = new Faults();
  readonly serverProperties;
  /** All that are open, also those whose session is over. */
  readonly #sockets = new Set<Socket>();
  state: NodeState = 'down';
  blocked: string | undefined;
  /** What it goes back to when it hangs no more. */
  #before: 'running' | 'refusing' = 'running';
  #server: Server | undefined;
  #port: number;
  /** Resolves when nothing of it is open any more. */
  #closed: Promise<void> = Promise.resolve();

  constructor(
    readonly name: string,
    readonly store: BrokerStore,
    readonly limits: Limits,
    port: number,
  ) {
    this.#port = port;
    this.serverProperties = serverProperties(store.clusterName);
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    if (this.state !== 'down') return;
    this.state = 'running';
    this.store.nodeUp(this);
    try {
      await this.#listen();
    } catch (error) {
      // Its port is somebody else's by now.
      this.kill();
      throw error;
    }
  }

  /** As SIGKILL. */
  kill(): void {
    this.#down(() => {
      for (const session of this.sessions) session.reset();
      // What has said goodbye may still wait for its peer to do so.
      for (const socket of this.#sockets) resetSocket(socket);
    });
  }

  /** As SIGTERM: each client is told. */
  stop(fault: AmqpFault): void {
    this.#down(() => {
      for (const session of this.sessions) {
        session.close(fault);
        session.finish();
      }
    });
  }

  pause(): void {
    if (this.state === 'down' || this.state === 'hung') return;
    this.#before = this.state;
    this.state = 'hung';
    for (const session of this.sessions) session.pause();
  }

  resume(): void {
    if (this.state !== 'hung') return;
    this.state = this.#before;
    for (const session of this.sessions) session.resume();
  }

  refuse(): void {
    if (this.state !== 'running') return;
    this.state = 'refusing';
    this.#unlisten();
  }

  async accept(): Promise<void> {
    if (this.state !== 'refusing') return;
    await this.#listen();
    this.state = 'running';
  }

  unblock(): void {
    this.blocked = undefined;
    for (const session of this.sessions) session.unblock();
  }

  /** For good. The last node of a cluster takes the queues with it, whose timers would go on. */
  async close(): Promise<void> {
    this.kill();
    for (const socket of this.#sockets) resetSocket(socket);
    await this.#closed;
    if (this.store.running.size === 0) this.store.clear();
  }

  ended(session: Session): void {
    this.sessions.delete(session);
    this.store.changed();
  }

  toString(): string {
    return this.name;
  }

  async #listen(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((socket) => this.#accepted(socket));
    this.#server = server;
    // A broker in the process is not what keeps that running.
    server.unref();
    try {
      this.#port = await listen(server, this.#port);
    } catch (error) {
      this.#server = undefined;
      throw error;
    }
  }

  #accepted(socket: Socket): void {
    socket.unref();
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const session = new Session(this, socket);
    this.sessions.add(session);
    if (this.state === 'hung') session.pause();
    this.store.changed();
  }

  #unlisten(): void {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    // The server before it may still wait for a connection that says goodbye.
    this.#closed = Promise.all([this.#closed, closed]).then(() => undefined);
  }

  #down(end: () => void): void {
    if (this.state === 'down') return;
    this.state = 'down';
    this.#unlisten();
    end();
    this.replies.clear();
    this.store.nodeDown(this);
  }
}
