import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { FrameParser } from '../kit/proxy/frame-parser.js';
import * as frames from '../kit/amqp-frames.js';
import { eventually } from './seat.js';

const PROTOCOL_HEADER = Buffer.from('AMQP\0\0\x09\x01', 'latin1');

export interface RawLogin {
  readonly mechanism?: string;
  readonly response?: string;
  readonly vhost?: string;
  readonly channelMax?: number;
  readonly frameMax?: number;
  readonly heartbeat?: number;
}

interface ReplyFields {
  readonly replyCode?: number;
  readonly replyText?: string;
  /** With the next: of the method that failed. */
  readonly classId?: number;
  readonly methodId?: number;
}

const { method, shortstr, longstr, short, long, octet } = frames;

const startOk = (mechanism: string, response: string): Buffer => {
  const capabilities = Buffer.concat(
    ['authentication_failure_close', 'consumer_cancel_notify', 'connection.blocked'].map((name) =>
      Buffer.concat([shortstr(name), Buffer.from('t'), octet(1)]),
    ),
  );
  const properties = Buffer.concat([
    shortstr('capabilities'),
    Buffer.from('F'),
    long(capabilities.length),
    capabilities,
  ]);
  return method(
    0,
    [10, 11],
    long(properties.length),
    properties,
    shortstr(mechanism),
    longstr(response),
    shortstr('en_US'),
  );
};

/** A client that says exactly what it is told, and writes down what it hears. */
export class RawClient {
  readonly heard: string[] = [];
  ended = false;
  readonly #parser = new FrameParser();
  #first = Buffer.alloc(0);

  private constructor(private readonly socket: Socket) {
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.ended = true;
    });
    socket.on('data', (chunk: Buffer) => this.#hear(chunk));
  }

  static async connect(url: string): Promise<RawClient> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawClient(socket);
  }

  send(...bytes: readonly Buffer[]): void {
    if (!this.ended) this.socket.write(Buffer.concat(bytes));
  }

  /** Waits until something has come that begins in one of these ways, or the socket is closed. */
  async hears(...beginnings: readonly string[]): Promise<boolean> {
    const found = (): boolean =>
      this.heard.some((one) => beginnings.some((beginning) => one.startsWith(beginning)));
    await eventually(
      () => found() || this.ended,
      () => this.heard,
    );
    return found();
  }

  /** The handshake, as far as it goes. */
  async login(login: RawLogin, stopBefore?: 'tune' | 'open'): Promise<void> {
    const { mechanism = 'PLAIN', response = '\0guest\0guest', vhost = '/' } = login;
    const { channelMax = 2_047, frameMax = 131_072, heartbeat = 0 } = login;
    this.send(PROTOCOL_HEADER);
    await this.hears('0 connection.start');
    this.send(startOk(mechanism, response));
    if (!(await this.hears('0 connection.tune')) || stopBefore === 'tune') return;
    this.send(method(0, [10, 31], short(channelMax), long(frameMax), short(heartbeat)));
    if (stopBefore === 'open') return;
    this.send(method(0, [10, 40], shortstr(vhost), shortstr(''), octet(0)));
    await this.hears('0 connection.open-ok', '0 connection.close');
  }

  openChannel(channel: number): void {
    this.send(method(channel, [20, 10], shortstr('')));
  }

  /** All that was heard until the broker closed: frames by name, closings with code and text. */
  async fate(): Promise<readonly string[]> {
    await eventually(
      () => this.ended || this.heard.some((one) => /\.close(-ok| )/u.test(one)),
      () => this.heard,
    );
    return this.heard;
  }

  end(): void {
    this.socket.destroy();
  }

  #hear(chunk: Buffer): void {
    // The answer to another protocol is no frame.
    if (this.heard.length === 0 && chunk.subarray(0, 4).toString() === 'AMQP') {
      this.#first = Buffer.concat([this.#first, chunk]);
      this.heard.push(`protocol ${this.#first.toString('hex')}`);
      return;
    }
    for (const { channel, method: name, fields } of this.#parser.push(chunk)) {
      if (name === 'heartbeat') continue;
      const { replyCode, replyText, classId = 0, methodId } = fields as ReplyFields;
      const of = classId === 0 ? '' : ` (${classId},${methodId})`;
      const said = replyCode === undefined ? '' : ` ${replyCode} ${replyText}${of}`;
      this.heard.push(`${channel} ${name}${said}`);
    }
  }
}
