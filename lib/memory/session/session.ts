import type { Socket } from 'node:net';
import type { AmqpFault } from '../amqp-fault.js';
import type { MemoryUser } from '../broker-store.js';
import type { VirtualHost } from '../model/virtual-host.js';
import { resetSocket } from '../reset-socket.js';
import { FrameParser } from '../wire/frame-parser.js';
import type { Content } from '../wire/frame-writer.js';
import { idOf } from '../wire/method-codec.js';
import type { Fields, MethodName } from '../wire/method-table.js';
import { toldOf } from './bad-frames.js';
import { ChannelSlots } from './channel-slots.js';
import { ClientProperties } from './client-properties.js';
import { sessionFrame } from './session-frames.js';
import type { SessionPhase } from './session-phase.js';
import { PROTOCOL_HEADER, startOf } from './handshake.js';
import type { Hold } from './holds.js';
import { Holds } from './holds.js';
import { Heartbeats } from './heartbeats.js';
import { Output } from './output.js';
import { PublisherBlock } from './publisher-block.js';
import { Deadline } from './deadline.js';
import { SendingFaults } from './sending-faults.js';
import type { Limits, SessionHost } from './session-host.js';

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
  readonly #deadline = new Deadline(() => this.reset());
  readonly #faults = new SendingFaults(this);
  /** Until what is read goes on. */
  #delay: NodeJS.Timeout | undefined;
  #reading = false;
  readonly #block = new PublisherBlock(this);

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
    this.#deadline.set(HANDSHAKE_TIMEOUT);
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
    if (!this.#faults.pass({ method, fields, channel, body: content?.body })) return;
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
    this.#deadline.clear();
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
    this.#deadline.set(CLOSE_TIMEOUT);
    // The answer is to be read, blocked or not.
    if (this.isBlocked) this.#release('blocked');
  }

  /** Says no more, and closes the socket when what was said is sent. */
  finish(): void {
    this.output.flush();
    this.end();
    this.socket.end();
    // A client that never closes its side would keep it half open.
    this.#deadline.set(CLOSE_TIMEOUT);
  }

  /** Ends it as a crash does. */
  reset(): void {
    this.end();
    resetSocket(this.socket);
  }

  /** Gives back what it held. Idempotent. */
  end(): void {
    this.#deadline.clear();
    if (this.phase === 'closed') return;
    this.channels.end();
    this.phase = 'closed';
    clearTimeout(this.#delay);
    this.#faults.end();
    this.#heartbeats?.stop();
    this.vhost?.removeQueuesOf(this);
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
    this.#block.lift();
    this.#release('blocked');
  }

  /** A publish has begun. While publishers are blocked it is the last thing that is read. */
  publishing(): void {
    if (this.isBlocked || !this.#block.begin()) return;
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
    this.#guarded(() => sessionFrame(this, frame));
    // It may ask for more than it reads.
    if (!this.output.hasRoom) {
      this.#holds.add('unread');
    }
    return true;
  }

  #start(header: Buffer): void {
    if (header.equals(PROTOCOL_HEADER)) {
      this.phase = 'starting';
      this.send(0, 'connection.start', startOf(this.host));
    } else {
      this.output.raw(PROTOCOL_HEADER);
      this.finish();
    }
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (this.phase === 'starting' || this.phase === 'tuning') this.finish();
      else {
        const told = toldOf(error);
        if (told === undefined) this.finish();
        else this.close(told.fault, told.method);
      }
    }
  }

  #release(cause: Hold): void {
    if (this.#holds.remove(cause)) this.#read();
  }
}
