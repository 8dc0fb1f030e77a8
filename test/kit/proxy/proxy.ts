import { connect, type Socket } from 'node:net';
import { directions, LinkConditions } from './conditions.js';
import { FaultList, type CutKind, type FaultAction } from './faults.js';
import type { FrameMatch } from './frame-match.js';
import { Link } from './link.js';
import { Listener } from './listener.js';
import type { FaultHandle, ProxyOptions } from './proxy-options.js';
import type { ProxyState } from './proxy-state.js';
import { Recording } from './recording.js';
import type { Direction, RecordedFrame } from './wire-frame.js';

const HOST = '127.0.0.1';
const WAIT = 10_000;

/** A TCP proxy that understands AMQP 0-9-1 frames: it records them, waits for them and fails at exactly one of them. */
export class AmqpProxy implements AsyncDisposable {
  private readonly state: ProxyState;
  private readonly listener: Listener;
  private readonly sockets = new Set<Socket>();
  private readonly links = new Set<Link>();
  private welcome: (client: Socket) => void = (client) => {
    this.forwardTo(client);
  };
  private accepted = 0;

  constructor(private readonly options: ProxyOptions) {
    const { port, recordLimit = 100_000, buffer = 1024 * 1024 } = options;
    this.state = {
      conditions: new LinkConditions(),
      faults: new FaultList(),
      passed: new Recording('passed', recordLimit),
      arrived: new Recording('arrived', recordLimit),
      buffer,
      nextIndex: 0,
    };
    this.listener = new Listener(HOST, port, (socket) => {
      this.accept(socket);
    });
  }

  get port(): number {
    return this.listener.port;
  }

  /** The target's URL with host and port of the proxy. */
  url(target = 'amqp://guest:guest@localhost'): string {
    const url = new URL(target);
    url.host = `${HOST}:${this.port}`;
    return url.href;
  }

  /** Connections that are up on the client's side and not cut. */
  get connections(): number {
    return [...this.links].filter((link) => link.live).length;
  }

  /** TCP connections accepted so far. */
  get dials(): number {
    return this.accepted;
  }

  /** What has passed, in order of passing. Live and without frames that were dropped, cut off or still wait. */
  get frames(): readonly RecordedFrame[] {
    return this.state.passed.frames;
  }

  /** What has reached the proxy, in order of arrival, whether or not it passed. */
  get arrivals(): readonly RecordedFrame[] {
    return this.state.arrived.frames;
  }

  /** Frames let go from `frames` because of `recordLimit`; a check that needs the whole record needs 0 here. */
  get forgotten(): number {
    return this.state.passed.forgotten;
  }

  /** How many recorded frames match (`nth` is ignored). */
  count(match: FrameMatch): number {
    return this.state.passed.count(match);
  }

  /** Resolves with the nth matching frame that passes or has passed; rejects after `timeout` ms (default 10,000). */
  seen(match: FrameMatch, timeout = WAIT): Promise<RecordedFrame> {
    return this.state.passed.wait(match, timeout);
  }

  /** As `seen`, for frames that reach the proxy, held and dropped ones too. */
  arrived(match: FrameMatch, timeout = WAIT): Promise<RecordedFrame> {
    return this.state.arrived.wait(match, timeout);
  }

  /**
   * Arms a one-shot fault. `nth` counts from now. Each armed fault counts every matching frame; a frame that an earlier
   * one took is left to it, and the next takes the first free frame from its nth on.
   */
  once(match: FrameMatch, action: FaultAction): FaultHandle {
    const fault = this.state.faults.arm(match, action);
    return {
      happened: fault.happened,
      disarm: () => {
        this.state.faults.disarm(fault);
      },
      release: () => {
        fault.release();
      },
    };
  }

  /** Cuts every connection at once, on both sides; the proxy goes on accepting. */
  cut(kind: CutKind): void {
    for (const link of this.links) link.cutNow(kind);
  }

  /** From now on frames of this direction wait, on all connections, later ones too. Ends of connections wait as well. */
  hold(direction: Direction | 'both' = 'both'): void {
    for (const one of directions(direction)) this.state.conditions.held.add(one);
  }

  /** Ends every hold, of the whole link and of single faults: what waited passes, in order. */
  release(): void {
    this.state.conditions.held.clear();
    for (const link of this.links) link.release();
  }

  /** Limits each connection, in this direction or in both, each for itself. */
  slow(limit: { bytesPerSecond: number; direction?: Direction | 'both' }): void {
    const { bytesPerSecond, direction = 'both' } = limit;
    const bytes = Math.max(1, Math.floor(bytesPerSecond / 50));
    this.pace(bytes, (bytes * 1_000) / bytesPerSecond, direction);
  }

  /** So many bytes every so many milliseconds, by default of what the broker says: a handshake that drips. */
  drip(bytes: number, everyMs: number, direction: Direction | 'both' = 'broker'): void {
    this.pace(bytes, everyMs, direction);
  }

  /** Ends `slow` and `drip`, from the next frame on. */
  fullSpeed(): void {
    this.state.conditions.pace.clear();
  }

  /** Dials are refused by the kernel; connections that are up stay. */
  refuse(): void {
    this.listener.refuse();
  }

  /** Accepts again on the same port. */
  async listen(): Promise<void> {
    return this.listener.listen();
  }

  /** New connections are accepted, read and never answered; the broker is not dialled. */
  mute(): void {
    this.welcome = (client) => {
      this.link(client);
    };
  }

  /** New connections are ended at once, or right after connection.open-ok has passed. */
  acceptAndDrop(when: 'at-once' | 'after-open-ok' = 'at-once', kind: CutKind = 'fin'): void {
    this.welcome = (client) => {
      if (when === 'at-once') return this.link(client).cutNow(kind);
      const connection = this.accepted;
      const match = { direction: 'broker', method: 'connection.open-ok', connection } as const;
      this.state.faults.arm(match, `cut-after-${kind}`);
      return this.forwardTo(client);
    };
  }

  /** Ends `mute` and `acceptAndDrop` for new connections. */
  forward(): void {
    this.welcome = (client) => {
      this.forwardTo(client);
    };
  }

  /** Destroys every socket and rejects whoever still waits. Idempotent. */
  async close(): Promise<void> {
    this.listener.refuse();
    this.state.faults.end();
    this.state.passed.end();
    this.state.arrived.end();
    for (const link of this.links) link.cutNow('fin');
    const closing = [...this.sockets].map(async (socket) => {
      await new Promise((resolve) => {
        socket.once('close', resolve).destroy();
      });
    });
    await Promise.all(closing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private accept(client: Socket): void {
    this.accepted += 1;
    this.own(client);
    this.welcome(client);
  }

  private forwardTo(client: Socket): void {
    const { host = HOST, port } = this.options.target;
    this.link(client, this.own(connect({ host, port, allowHalfOpen: true, noDelay: true })));
  }

  private link(client: Socket, broker?: Socket): Link {
    const link = new Link(this.accepted, client, broker, this.state);
    this.links.add(link);
    client.once('close', () => {
      if (broker === undefined || broker.destroyed) this.links.delete(link);
    });
    broker?.once('close', () => {
      if (client.destroyed) this.links.delete(link);
    });
    return link;
  }

  private own(socket: Socket): Socket {
    this.sockets.add(socket);
    // An error is followed by close, which the pumps read.
    socket.on('error', () => undefined);
    socket.once('close', () => this.sockets.delete(socket));
    return socket;
  }

  private pace(bytes: number, every: number, direction: Direction | 'both'): void {
    for (const one of directions(direction)) this.state.conditions.pace.set(one, { bytes, every });
  }
}

/** Starts a proxy on 127.0.0.1 in front of the target. */
export async function startProxy(options: ProxyOptions): Promise<AmqpProxy> {
  const proxy = new AmqpProxy(options);
  await proxy.listen();
  return proxy;
}
