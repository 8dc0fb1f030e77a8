import type { Socket } from 'node:net';
import { AmqpFault } from '../amqp-fault.js';
import type { MemoryUser } from '../broker-store.js';
import type { ControlAction } from '../faults.js';
import type { VirtualHost } from '../model/virtual-host.js';
import { resetSocket } from '../reset-socket.js';
import type { BadFrame, Frame } from '../wire/frame-parser.js';
import { FrameParser, FrameType } from '../wire/frame-parser.js';
import type { Content } from '../wire/frame-writer.js';
import { UndecodableError, idOf } from '../wire/method-codec.js';
import type { Fields, MethodName } from '../wire/method-table.js';
import { MalformedError } from '../wire/wire-reader.js';
import { badFrame, undecodable } from './bad-frames.js';
import { ChannelSlots } from './channel-slots.js';
import { ClientProperties } from './client-properties.js';
import { connectionFrame } from './connection-frames.js';
import { PROTOCOL_HEADER } from './handshake.js';
import type { Hold } from './holds.js';
import { Holds } from './holds.js';
import { Heartbeats } from './heartbeats.js';
import { Output } from './output.js';
import { MECHANISMS } from './sasl.js';
import type { Limits, SessionHost } from './session-host.js';

/** How far a connection has come. `closing`: we have said connection.close and wait for the answer. */
export type SessionPhase =
  'header' | 'starting' | 'tuning' | 'opening' | 'open' | 'closing' | 'closed';

// The least that a peer must take before limits are agreed on.
const FRAME_MIN = 4_096;
// As long as RabbitMQ waits for a client to say who it is, and for the answer to connection.close.
const HANDSHAKE_TIMEOUT = 10_000;
const CLOSE_TIMEOUT = 5_000;

/** One client's connection, from its first byte to its last. */
export class Session {
  readonly output: Output;
  readonly channels: ChannelSlots;
  client = new ClientProperties();
  user: MemoryUser | undefined;
  vhost: VirtualHost | undefined;
  limits: Limits;
  phase: SessionPhase = 'header';
  readonly #address: string;
  readonly #parser = new FrameParser(FRAME_MIN);
  readonly #holds: Holds;
  #heartbeats: Heartbeats | undefined;
  #deadline: NodeJS.Timeout | undefined;
  /** Until what is read, or what is to be sent, goes on. */
  #delay: NodeJS.Timeout | undefined;
  #held: NodeJS.Timeout | undefined;
  #reading = false;
  #toldBlocked = false;

  constructor(
    readonly host: SessionHost,
    private readonly socket: Socket,
  ) {
    this.#address = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
    this.output = new Output(socket, () => {
      this.#release('unread');
      this.channels.serve();
    });
    this.#holds = new Holds(socket);
    this.channels = new ChannelSlots(this);
    this.limits = host.limits;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    // What follows is `close`, and there is nobody to tell.
    socket.on('error', () => undefined);
    socket.on('close', () => this.end());
    this.#setDeadline(HANDSHAKE_TIMEOUT);
  }

  get name(): string {
    return this.client.connectionName ?? this.#address;
  }

  /** Whether the client reads what it is sent. */
  get canWrite(): boolean {
    return this.phase === 'open' && this.output.hasRoom;
  }

  /** Whether it publishes no more until it is unblocked. */
  get isBlocked(): boolean {
    return this.#holds.has('blocked');
  }

  send<M extends MethodName>(
    channel: number,
    method: M,
    fields: Fields<M>,
    content?: Content,
  ): void {
    if (this.phase === 'closed') return;
    const { faults } = this.host;
    if (!faults.none) {
      const connection = this.name;
      const controlled = { method, fields, channel, connection, body: content?.body };
      const action = faults.decide('broker', controlled);
      if (action !== 'pass' && !this.#controlSending(action)) return;
    }
    this.output.method(channel, method, fields, content);
  }

  /** Takes the limits that the client has agreed to. */
  tune(limits: Limits): void {
    this.limits = limits;
    this.#parser.frameMax = limits.frameMax;
    this.output.frameMax = limits.frameMax;
    this.#heartbeats = new Heartbeats(limits.heartbeat * 1_000, {
      send: () => {
        if (!this.#holds.has('paused') && this.output.hasRoom) this.output.heartbeat();
      },
      silent: () => {
        if (this.#holds.none) this.reset();
      },
    });
  }

  opened(vhost: VirtualHost): void {
    this.vhost = vhost;
    this.phase = 'open';
    clearTimeout(this.#deadline);
  }

  /** Ends it with connection.close, and the socket when that is answered. */
  close(fault: AmqpFault, method?: MethodName): void {
    if (this.phase === 'closing' || this.phase === 'closed') return;
    const [failingClass, failingMethod] = method === undefined ? [0, 0] : idOf(method);
    const { code: replyCode, replyText } = fault;
    this.channels.end();
    this.send(0, 'connection.close', { replyCode, replyText, failingClass, failingMethod });
    if ((this.phase as SessionPhase) === 'closed') return;
    this.output.flush();
    this.phase = 'closing';
    this.#setDeadline(CLOSE_TIMEOUT);
    // The answer is to be read, blocked or not.
    if (this.isBlocked) this.#release('blocked');
  }

  /** Says no more, and closes the socket when what was said is sent. */
  finish(): void {
    this.output.flush();
    this.end();
    this.socket.end();
    // A client that never closes its side would keep it half open.
    this.#setDeadline(CLOSE_TIMEOUT);
  }

  /** Ends it as a crash does. */
  reset(): void {
    this.end();
    resetSocket(this.socket);
  }

  /** Gives back what it held. Idempotent. */
  end(): void {
    clearTimeout(this.#deadline);
    if (this.phase === 'closed') return;
    this.channels.end();
    this.phase = 'closed';
    clearTimeout(this.#delay);
    clearTimeout(this.#held);
    this.#heartbeats?.stop();
    const { vhost } = this;
    for (const queue of vhost?.queues.values() ?? []) {
      if (queue.declaration.owner === this) vhost?.removeQueue(queue);
    }
    this.host.ended(this);
  }

  /** Hangs: reads nothing, and lets nothing leave. */
  pause(): void {
    this.output.hold();
    this.#holds.add('paused');
  }

  resume(): void {
    this.output.release();
    this.#release('paused');
  }

  /** The broker takes publishes again. */
  unblock(): void {
    if (!this.isBlocked) return;
    if (this.#toldBlocked) this.send(0, 'connection.unblocked', {});
    this.#toldBlocked = false;
    this.#release('blocked');
  }

  /** A publish has begun. While publishers are blocked it is the last thing that is read. */
  publishing(): void {
    const { blocked: reason } = this.host;
    if (reason === undefined || this.isBlocked) return;
    this.#toldBlocked = this.client.hearsBlocked;
    if (this.#toldBlocked) this.send(0, 'connection.blocked', { reason });
    this.#holds.add('blocked');
  }

  /** Reads nothing more for so many milliseconds, and then does `next` first. */
  delay(milliseconds: number, next: () => void): void {
    this.#holds.add('delayed');
    this.#delay = setTimeout(() => {
      this.#guarded(next);
      this.#release('delayed');
    }, milliseconds);
  }

  #received(chunk: Buffer): void {
    this.#heartbeats?.received();
    this.#parser.push(chunk);
    this.#read();
  }

  #read(): void {
    // A fault that is decided on in here may come back to here.
    if (this.#reading) return;
    this.#reading = true;
    while (this.#holds.none && this.phase !== 'closed' && this.#readOne());
    this.channels.flush();
    this.#reading = false;
  }

  /** @returns whether there may be more */
  #readOne(): boolean {
    if (this.phase === 'header') {
      const header = this.#parser.take(PROTOCOL_HEADER.length);
      if (header !== undefined) this.#start(header);
      return header !== undefined;
    }
    const frame = this.#parser.next();
    if (frame === undefined) return false;
    this.#guarded(() => this.#frame(frame));
    // It may ask for more than it reads.
    if (!this.output.hasRoom) {
      this.#holds.add('unread');
    }
    return true;
  }

  #frame(frame: Frame | BadFrame): void {
    if ('problem' in frame) {
      if (this.phase === 'closing') this.finish();
      // Nothing that follows can be read.
      else this.#refuse(badFrame(frame, this.limits.frameMax));
    } else if (frame.channel === 0) connectionFrame(this, frame);
    else if (this.phase === 'open') this.channels.frame(frame);
    else if (this.phase !== 'closing') this.reset();
    else if (frame.type === FrameType.heartbeat) this.finish();
  }

  #refuse(fault: AmqpFault): void {
    this.close(fault);
    this.finish();
  }

  #start(header: Buffer): void {
    if (!header.equals(PROTOCOL_HEADER)) {
      this.output.raw(PROTOCOL_HEADER);
      this.finish();
      return;
    }
    this.phase = 'starting';
    this.send(0, 'connection.start', {
      versionMajor: 0,
      versionMinor: 9,
      serverProperties: this.host.serverProperties,
      mechanisms: Buffer.from(MECHANISMS),
      locales: Buffer.from('en_US'),
    });
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (this.phase === 'starting' || this.phase === 'tuning') this.finish();
      else if (error instanceof AmqpFault) this.close(error);
      else if (error instanceof UndecodableError) {
        const { bytes, method } = error;
        this.close(undecodable(error), bytes === undefined ? undefined : method);
      } else if (error instanceof MalformedError) this.finish();
      else this.close(new AmqpFault(541, String(error)));
    }
  }

  /** @returns whether the method is to be sent all the same */
  #controlSending(action: ControlAction): boolean {
    if (action === 'kill') this.host.kill();
    else if (action === 'reset') this.reset();
    else if (typeof action === 'object' && 'delay' in action) {
      this.output.hold();
      this.#held = setTimeout(() => this.output.release(), action.delay);
      this.#held.unref();
      return true;
    }
    return false;
  }

  #release(cause: Hold): void {
    if (this.#holds.remove(cause)) this.#read();
  }

  #setDeadline(milliseconds: number): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.reset(), milliseconds);
    this.#deadline.unref();
  }
}
