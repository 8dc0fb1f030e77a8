import type { Socket } from 'node:net';
import type { FaultyConnection } from './fault-action.js';
import type { CutKind } from './faults.js';
import type { ProxyState } from './proxy-state.js';
import { Pump } from './pump.js';
import type { Direction } from './wire-frame.js';

/** How long a cut at a frame waits, in milliseconds, for a peer that does not read what has passed before the cut. */
const FLUSH = 1_000;

/** One accepted connection and, unless the proxy plays mute, the one it dialled to the broker for it. */
export class Link implements FaultyConnection {
  private readonly pumps: Pump[] = [];
  private cutting: Promise<void> | undefined;

  constructor(
    readonly number: number,
    private readonly client: Socket,
    private readonly broker: Socket | undefined,
    state: ProxyState,
  ) {
    if (broker === undefined) {
      client.resume();
      return;
    }
    this.pumps.push(new Pump('client', client, broker, this, state));
    this.pumps.push(new Pump('broker', broker, client, this, state));
  }

  get live(): boolean {
    return this.cutting === undefined && !this.client.destroyed;
  }

  /** Whatever was recorded as passed before the cut is with the kernel before the sockets end. */
  async cut(kind: CutKind, toBroker: CutKind = kind): Promise<void> {
    this.cutting ??= this.flushAndSever(kind, toBroker);
    return this.cutting;
  }

  /** As `cut`, but at once: what is still on its way is lost. */
  cutNow(kind: CutKind): void {
    this.cutting ??= Promise.resolve();
    for (const pump of this.pumps) pump.stop();
    this.sever(kind, kind);
  }

  inject(from: Direction, bytes: Buffer): void {
    (from === 'broker' ? this.client : this.broker)?.write(bytes);
  }

  release(): void {
    for (const pump of this.pumps) pump.release();
  }

  private sockets(): Socket[] {
    return this.broker ? [this.client, this.broker] : [this.client];
  }

  private async flushAndSever(kind: CutKind, toBroker: CutKind): Promise<void> {
    for (const pump of this.pumps) pump.stop();
    await Promise.all(this.sockets().map(written));
    this.sever(kind, toBroker);
  }

  private sever(toClient: CutKind, toBroker: CutKind): void {
    finish(this.client, toClient);
    if (this.broker) finish(this.broker, toBroker);
  }
}

function finish(socket: Socket, kind: CutKind): void {
  if (kind === 'rst') socket.resetAndDestroy();
  else socket.end();
}

async function written(socket: Socket): Promise<void> {
  if (socket.destroyed || socket.connecting || socket.writableLength === 0) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      socket.off('close', done);
      resolve();
    };
    const timer = setTimeout(done, FLUSH);
    socket.once('close', done);
    // An empty write calls back after all writes before it.
    socket.write(Buffer.alloc(0), done);
  });
}
