import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ContentTracker } from './content.js';
import type { Pace } from './conditions.js';
import { performFault, type FaultyConnection, type Passage } from './fault-action.js';
import type { CutKind } from './faults.js';
import { FrameParser } from './frame-parser.js';
import { carriesContent } from './method-names.js';
import type { ProxyState } from './proxy-state.js';
import type { Direction, WireFrame } from './wire-frame.js';

/** Carries one direction of one connection, frame by frame, in order. */
export class Pump {
  private readonly parser = new FrameParser();
  private readonly content = new ContentTracker();
  private readonly dropping = new Set<number>();
  private readonly stopping = new AbortController();
  private readonly queue: Passage[] = [];
  private queuedBytes = 0;
  /** Milliseconds of pause that a slow direction owes: small frames share one, as a timer takes at least 1. */
  private debt = 0;
  private running = false;
  private held = false;
  private ending: CutKind | undefined;
  private cutAfter:
    { channel: number; whole: boolean; kind: CutKind; done: () => void } | undefined;

  constructor(
    private readonly direction: Direction,
    private readonly source: Socket,
    private readonly sink: Socket,
    private readonly link: FaultyConnection,
    private readonly state: ProxyState,
  ) {
    source.on('data', (chunk) => {
      this.receive(chunk);
    });
    source.once('end', () => {
      this.end('fin');
    });
    source.once('close', (hadError) => {
      if (hadError || this.ending === undefined) this.end('rst');
    });
    sink.on('drain', () => {
      this.run();
    });
  }

  /** Nothing passes any more: what waits is let go, what still comes is read and ignored. */
  stop(): void {
    this.stopping.abort();
    this.queue.length = 0;
    this.source.resume();
  }

  release(): void {
    this.held = false;
    this.run();
  }

  hold(passage: Passage): void {
    this.queue.unshift({ ...passage, decided: true });
    this.queuedBytes += passage.frame.bytes.length;
    this.held = true;
  }

  dropContentOf(channel: number): void {
    this.dropping.add(channel);
  }

  forwardThenCut(passage: Passage, kind: CutKind, done: () => void): void | Promise<void> {
    const { channel, method } = passage.frame;
    this.cutAfter = { channel, whole: carriesContent(method), kind, done };
    return this.forward(passage);
  }

  forward(passage: Passage): void | Promise<void> {
    const pace = this.state.conditions.pace.get(this.direction);
    if (pace) return this.trickle(passage, pace);
    if (this.stopped || !this.sink.writable) return undefined;
    this.sink.write(passage.frame.bytes);
    return this.forwarded(passage);
  }

  private async trickle(passage: Passage, { bytes, every }: Pace): Promise<void> {
    const { signal } = this.stopping;
    const all = passage.frame.bytes;
    for (let start = 0; start < all.length && !this.stopped;) {
      let pause = every;
      if (!this.isHeld && !this.sink.writableNeedDrain) {
        const piece = all.subarray(start, start + bytes);
        this.sink.write(piece);
        start += piece.length;
        this.debt += (every * piece.length) / bytes;
        if (this.debt < 1) continue;
        pause = this.debt;
        this.debt = 0;
      }
      await delay(pause, undefined, { signal }).catch(() => undefined);
    }
    if (!this.stopped) await this.forwarded(passage);
  }

  private forwarded({ frame, record }: Passage): void | Promise<void> {
    this.state.passed.add(record);
    const last = this.content.completes(frame);
    const after = this.cutAfter;
    if (after?.channel !== frame.channel || (after.whole && !last)) return undefined;
    this.cutAfter = undefined;
    return this.link.cut(after.kind, 'fin').then(after.done);
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private get isHeld(): boolean {
    return this.held || this.state.conditions.held.has(this.direction);
  }

  private receive(chunk: Buffer): void {
    if (this.stopped) return;
    for (const frame of this.parser.push(chunk)) this.enqueue(frame);
    this.sink.cork();
    this.run();
    this.sink.uncork();
    if (this.queuedBytes > this.state.buffer) this.source.pause();
  }

  private enqueue(frame: WireFrame): void {
    const { channel, method, fields } = frame;
    const { direction } = this;
    const connection = this.link.number;
    const record = {
      index: this.state.nextIndex++,
      connection,
      direction,
      channel,
      method,
      fields,
    };
    this.queue.push({ frame, record, decided: false });
    this.queuedBytes += frame.bytes.length;
    this.state.arrived.add(record);
  }

  private end(how: CutKind): void {
    this.ending = how;
    this.run();
  }

  private run(): void {
    if (this.running) return;
    this.running = true;
    while (!this.stopped && !this.isHeld && !this.sink.writableNeedDrain) {
      const next = this.queue.shift();
      if (next === undefined) {
        this.passEnd();
        break;
      }
      this.queuedBytes -= next.frame.bytes.length;
      const pending = this.pass(next);
      if (pending) {
        void this.continueAfter(pending);
        return;
      }
    }
    this.running = false;
    if (this.source.isPaused() && this.queuedBytes <= this.state.buffer) this.source.resume();
  }

  private async continueAfter(pending: Promise<void>): Promise<void> {
    await pending;
    this.running = false;
    this.run();
  }

  private pass(passage: Passage): void | Promise<void> {
    const { frame, record, decided } = passage;
    const { channel, method } = frame;
    if (this.dropping.has(channel)) {
      if (method === 'header' || method === 'body') return undefined;
      this.dropping.delete(channel);
    }
    const fault = decided ? undefined : this.state.faults.take(record);
    return fault ? performFault(fault, passage, this, this.link) : this.forward(passage);
  }

  /** An end waits its turn behind the frames before it, and in a held direction for the release. */
  private passEnd(): void {
    if (this.ending === 'rst') void this.link.cut('rst');
    if (this.ending === 'fin' && !this.sink.writableEnded) this.sink.end(this.parser.rest());
  }
}
