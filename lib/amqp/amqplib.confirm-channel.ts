import type { Options } from 'amqplib';
import { AmqpError } from '../errors.js';
import { AmqplibChannel } from './amqplib.channel.js';
import type { ChannelSurroundings } from './amqplib.channel-record.js';
import { amqplibMessages as messages } from './amqplib.messages.js';
import { frameSinkOf, withoutConfirmBookkeeping } from './amqplib.shapes.js';
import type { AmqplibRawConfirmChannel, FrameSink } from './amqplib.shapes.js';
import type { ConfirmChannel } from './channel.js';
import { ConfirmWindow } from './confirm-window.js';
import { publishFrames } from './publish-frames.js';

/** The facade over a channel in confirm mode. */
export class AmqplibConfirmChannel extends AmqplibChannel implements ConfirmChannel {
  readonly #publish: AmqplibRawConfirmChannel['publish'];
  readonly #sink: FrameSink | undefined;
  readonly #window = new ConfirmWindow();

  constructor(raw: AmqplibRawConfirmChannel, surroundings: ChannelSurroundings) {
    super(raw, surroundings);
    this.#publish = withoutConfirmBookkeeping(raw);
    this.#sink = frameSinkOf(raw);
    raw.on('ack', (confirmation) => {
      this.#window.confirm(confirmation);
      this.events.ack.tell(confirmation);
    });
    raw.on('nack', (confirmation) => {
      this.#window.refuse(confirmation, () => this.#nacked());
      this.events.nack.tell(confirmation);
    });
  }

  override publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options?: Options.Publish,
  ): boolean {
    if (this.loss !== undefined) throw this.fault('basic.publish');
    try {
      const room =
        this.#written(exchange, routingKey, content, options) ??
        this.#publish(exchange, routingKey, content, options);
      this.#window.published();
      return room;
    } catch (error) {
      throw this.thrown('basic.publish', error);
    }
  }

  waitForConfirms(): Promise<void> {
    if (this.loss !== undefined) {
      return this.#window.outstanding === 0 ? Promise.resolve() : Promise.reject(this.#lost());
    }
    return this.#window.whenConfirmed();
  }

  protected override ended(): void {
    this.#window.rejectAll(() => this.#lost());
  }

  /** @returns undefined when nothing was written, and amqplib is to do it */
  #written(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options: Options.Publish | undefined,
  ): boolean | undefined {
    if (this.#sink === undefined || options === undefined) return undefined;
    const frames = publishFrames(this.#sink, exchange, routingKey, content, options);
    return frames && this.#sink.write(frames);
  }

  #lost(): AmqpError {
    return this.fault('waitForConfirms', undefined, this.loss?.code);
  }

  #nacked(): AmqpError {
    const { connection } = this;
    const fault = { scope: 'operation', connection, channel: this } as const;
    return new AmqpError(messages.nacked(String(connection.broker)), fault);
  }
}
