import { AmqpFault, INTERNAL_ERROR, channelError, unexpectedFrame } from '../amqp-fault.js';
import type { ControlAction } from '../faults.js';
import { handle } from '../methods/handle.js';
import type { Frame } from '../wire/frame-parser.js';
import { FrameType, isKnown } from '../wire/frame-parser.js';
import type { Content } from '../wire/frame-writer.js';
import type { Method } from '../wire/method-codec.js';
import { decodeMethod, idOf } from '../wire/method-codec.js';
import type { MethodName } from '../wire/method-table.js';
import { hasContent } from '../wire/method-table.js';
import { misplacedFrame, unknownFrame } from './bad-frames.js';
import { ContentAssembly } from './content-assembly.js';
import { ServerChannel } from './server-channel.js';
import type { Session } from './session.js';

const OPENED_TWICE = "second 'channel.open' seen";

/** One channel number of a connection: not open yet, open, or closed by us and waiting for the answer. */
export class ChannelSlot {
  channel: ServerChannel | undefined;
  #closing = false;
  #assembly: ContentAssembly | undefined;

  constructor(
    private readonly session: Session,
    readonly number: number,
    private readonly free: () => void,
  ) {}

  /** @throws AmqpFault for what ends the connection @throws MalformedError */
  frame(frame: Frame): void {
    if (!isKnown(frame)) throw unknownFrame(frame);
    if (frame.type === FrameType.heartbeat) throw misplacedFrame(frame);
    const assembly = this.#assembly;
    if (assembly === undefined) this.#method(frame);
    else this.#guarded(assembly.method.name, () => this.#content(frame, assembly));
  }

  /** Ends the channel, or the whole connection, as the fault demands. */
  fail(fault: AmqpFault, method?: MethodName): void {
    if (fault.endsConnection) {
      // An error of its own RabbitMQ lays to no method.
      this.session.close(fault, fault.code === INTERNAL_ERROR ? undefined : method);
      return;
    }
    const [failingClass, failingMethod] = method === undefined ? [0, 0] : idOf(method);
    const { code: replyCode, replyText } = fault;
    this.channel?.end();
    this.channel = undefined;
    // It is told once.
    if (this.#closing) return;
    this.#closing = true;
    const close = { replyCode, replyText, failingClass, failingMethod };
    this.session.send(this.number, 'channel.close', close);
  }

  #method({ type, payload }: Frame): void {
    if (type !== FrameType.method) {
      throw unexpectedFrame('expected method frame, got non method frame instead');
    }
    const method = decodeMethod(payload);
    if (hasContent(method.name)) this.#assembly = new ContentAssembly(method);
    else this.#guarded(method.name, () => this.#whole(method, undefined));
  }

  #content(frame: Frame, assembly: ContentAssembly): void {
    // Whatever it throws, what follows is another method.
    this.#assembly = undefined;
    const content = assembly.take(frame);
    if (frame.type === FrameType.header) this.session.publishing();
    if (content === undefined) this.#assembly = assembly;
    else this.#whole(assembly.method, content);
  }

  #whole(method: Method, content: Content | undefined): void {
    if (this.#closing) this.#whileClosing(method);
    else this.#controlled(method, content);
  }

  #whileClosing({ name }: Method): void {
    if (name === 'channel.open') throw channelError(OPENED_TWICE);
    if (name === 'channel.close-ok') this.free();
    else if (name === 'channel.close') this.session.send(this.number, 'channel.close-ok', {});
  }

  #guarded(method: MethodName, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof AmqpFault)) throw error;
      this.fail(error, method);
    }
  }

  /** Does what a fault of the test wants, or else what the method wants. */
  #controlled(method: Method, content: Content | undefined): void {
    const { session, number: channel } = this;
    const { faults } = session.host;
    if (faults.none) {
      this.#perform(method, content);
      return;
    }
    const { name: connection } = session;
    const { name, fields } = method;
    const controlled = { method: name, fields, channel, connection, body: content?.body };
    this.#control(faults.decide('client', controlled), method, content);
  }

  #control(action: ControlAction, method: Method, content: Content | undefined): void {
    const { session } = this;
    if (action === 'pass') this.#perform(method, content);
    else if (action === 'kill') session.host.kill();
    else if (action === 'reset') session.reset();
    else if (action === 'drop') this.#withhold(method);
    else if (action === 'nack') this.#nack(method);
    else if ('delay' in action) {
      session.delay(action.delay, () =>
        this.#guarded(method.name, () => this.#perform(method, content)),
      );
    } else if ('closeChannel' in action) {
      throw new AmqpFault(action.closeChannel, action.text ?? 'as the test wants');
    } else {
      session.close(
        new AmqpFault(action.closeConnection, action.text ?? 'as the test wants'),
        method.name,
      );
    }
  }

  #perform(method: Method, content: Content | undefined): void {
    if (method.name === 'channel.open') this.#open();
    else if (method.name === 'channel.close') {
      this.#assertOpen().end();
      this.free();
      this.session.send(this.number, 'channel.close-ok', {});
    } else handle(this.#assertOpen(), method, content);
    this.session.vhost?.settle();
  }

  #open(): void {
    const { vhost } = this.session;
    if (this.channel !== undefined) throw channelError(OPENED_TWICE);
    if (vhost === undefined) return;
    this.channel = new ServerChannel(this.session, this.number, vhost);
    this.session.send(this.number, 'channel.open-ok', { channelId: Buffer.alloc(0) });
  }

  #assertOpen(): ServerChannel {
    if (this.channel === undefined) throw channelError("expected 'channel.open'");
    return this.channel;
  }

  #withhold({ name }: Method): void {
    if (name !== 'basic.publish') return;
    const confirms = this.channel?.confirms;
    confirms?.withhold();
    confirms?.next();
  }

  #nack({ name }: Method): void {
    const confirms = this.channel?.confirms;
    if (name === 'basic.publish' && confirms !== undefined) confirms.nack(confirms.next());
  }
}
