import { IllegalOperationError } from 'amqplib/callback_api';
import { AmqpError } from '../errors.js';
import type { Clock } from '../policy/clock.js';
import { closeReply, codeFor } from './amqp-methods.js';
import type { RpcMethod } from './amqp-methods.js';
import { amqplibMessages as messages } from './amqplib.messages.js';
import type { AmqplibCallback, AmqplibRawChannel } from './amqplib.shapes.js';
import type { ChannelEvents } from './channel.js';
import { Listeners } from './listeners.js';
import type { ReportListenerError } from './listeners.js';
import type { BrokerConnection } from './transport.js';

/** What a channel needs to know of its connection. Durations are milliseconds. */
export interface ChannelSurroundings {
  readonly connection: BrokerConnection;
  readonly clock: Clock;
  readonly rpcTimeout: number;
  readonly closeTimeout: number;
  readonly report: ReportListenerError;
}

interface PendingRpc {
  readonly method: RpcMethod;
  readonly reject: (error: AmqpError) => void;
  readonly cancelDeadline: () => void;
}

type EventListeners = { [E in keyof ChannelEvents]: Listeners<Parameters<ChannelEvents[E]>> };

/**
 * The life of one channel: its RPCs with their deadlines, its events, and how it ends. Faults are told one microtask after
 * amqplib tells of them: amqplib fails RPCs before it says, in the same call stack, whether the channel or the connection
 * has ended.
 */
export class ChannelRecord {
  readonly connection: BrokerConnection;
  protected readonly events: EventListeners;
  // Hard private: they lead to the socket, whose TLS options no log may print.
  readonly #channel: AmqplibRawChannel;
  readonly #surroundings: ChannelSurroundings;
  readonly #pending = new Set<PendingRpc>();
  #loss: AmqpError | undefined;
  #told = false;
  #closing: Promise<void> | undefined;
  #closed: (() => void) | undefined;

  constructor(channel: AmqplibRawChannel, surroundings: ChannelSurroundings) {
    this.#channel = channel;
    this.#surroundings = surroundings;
    const { report, connection } = surroundings;
    const listeners = <A extends unknown[]>(event: string): Listeners<A> =>
      new Listeners<A>(`channel '${event}' listener`, report);
    channel.on('error', (error) => this.#end(error));
    channel.on('close', () => queueMicrotask(() => this.#end(undefined)));
    channel.on('handler-error', (error, event) => report(error, `channel '${event}'`));
    this.connection = connection;
    this.events = {
      close: listeners('close'),
      return: listeners('return'),
      drain: listeners('drain'),
      cancel: listeners('cancel'),
      ack: listeners('ack'),
      nack: listeners('nack'),
    };
    channel.on('return', (message) => this.events.return.tell(message));
    channel.on('drain', () => this.events.drain.tell());
    channel.on('cancel', ({ consumerTag }) => this.events.cancel.tell(consumerTag));
  }

  get loss(): AmqpError | undefined {
    return this.#loss;
  }

  on<E extends keyof ChannelEvents>(event: E, listener: ChannelEvents[E]): this {
    const listeners = this.events[event] as unknown as Listeners<never[]>;
    listeners.add(listener);
    const { loss } = this;
    if (event === 'close' && loss !== undefined && this.#told) {
      queueMicrotask(() => {
        this.events.close.tell(loss);
        this.events.close.clear();
      });
    }
    return this;
  }

  off<E extends keyof ChannelEvents>(event: E, listener: ChannelEvents[E]): this {
    const listeners = this.events[event] as unknown as Listeners<never[]>;
    listeners.remove(listener);
    return this;
  }

  close(): Promise<void> {
    if (this.#loss !== undefined) return Promise.resolve();
    this.#closing ??= new Promise((resolve) => {
      const { clock, closeTimeout } = this.#surroundings;
      const broker = String(this.connection.broker);
      const cancel = clock.schedule(closeTimeout, () =>
        this.#lose(this.#channelFault(messages.closeTimeout(broker, closeTimeout))),
      );
      this.#closed = () => {
        cancel();
        resolve();
      };
      try {
        this.#channel.close();
      } catch (error) {
        this.#end(error);
      }
    });
    return this.#closing;
  }

  /** To be called by the connection, once its own loss is set. */
  connectionLost(): void {
    this.#end(undefined);
  }

  /**
   * Sends one RPC and gives its answer.
   *
   * @throws AmqpError by rejection, within the RPC deadline at the latest
   */
  rpc<T>(method: RpcMethod, send: (callback: AmqplibCallback<T>) => void): Promise<T> {
    if (this.#loss !== undefined) return Promise.reject(this.fault(method));
    return new Promise((resolve, reject) => {
      const { clock, rpcTimeout } = this.#surroundings;
      const cancelDeadline = clock.schedule(rpcTimeout, () =>
        this.#abandon(messages.rpcTimeout(method, String(this.connection.broker), rpcTimeout)),
      );
      const rpc: PendingRpc = { method, reject, cancelDeadline };
      this.#pending.add(rpc);
      try {
        send((error, reply) => {
          if (error !== null) queueMicrotask(() => this.#fail(rpc, error));
          else if (this.#settled(rpc)) resolve(reply);
        });
      } catch (error) {
        if (this.#settled(rpc)) reject(this.thrown(method, error));
      }
    });
  }

  /** The fault of an operation on a channel that has ended. */
  protected fault(operation: string, cause?: unknown, code?: number): AmqpError {
    const { connection } = this;
    const broker = String(connection.broker);
    if (connection.loss !== undefined) {
      return new AmqpError(
        messages.operationOnLostConnection(operation, broker, connection.loss.cause),
        { scope: 'connection', code: connection.loss.code, connection, channel: this },
        { cause: connection.loss },
      );
    }
    const reason = cause ?? this.#loss;
    return this.#channelFault(
      messages.operationOnLostChannel(operation, broker, cause ?? this.#loss?.cause),
      reason,
      code,
    );
  }

  /** Brands what amqplib threw at once instead of sending: the channel cannot send, or the arguments cannot be encoded. */
  protected thrown(operation: string, error: unknown): AmqpError {
    const { connection } = this;
    const broker = String(connection.broker);
    if (!(error instanceof IllegalOperationError)) {
      return new AmqpError(
        messages.notEncoded(operation, broker, error),
        { scope: 'operation', connection, channel: this },
        { cause: error },
      );
    }
    if (this.#closing !== undefined && connection.loss === undefined) {
      return this.#channelFault(messages.channelClosing(operation, broker), error);
    }
    this.#end(error);
    return this.fault(operation, error);
  }

  /** Called once, when the channel has ended, before its `close` event. */
  protected ended(_loss: AmqpError): void {}

  #fail(rpc: PendingRpc, error: Error): void {
    if (!this.#settled(rpc)) return;
    // Neither ended: the broker answered something else, so later answers would go to the wrong RPCs.
    if (this.#loss === undefined && this.connection.loss === undefined) {
      this.#abandon(messages.outOfStep(rpc.method, String(this.connection.broker)), error);
    }
    rpc.reject(this.fault(rpc.method, error, codeFor(rpc.method, error)));
  }

  #settled(rpc: PendingRpc): boolean {
    rpc.cancelDeadline();
    return this.#pending.delete(rpc);
  }

  #abandon(message: string, cause?: unknown): void {
    this.#lose(this.#channelFault(message, cause));
    try {
      this.#channel.close();
    } catch {
      // It is closing already.
    }
  }

  #end(error: unknown): void {
    if (this.#loss !== undefined) return;
    const { connection } = this;
    const broker = String(connection.broker);
    if (connection.loss !== undefined) this.#lose(connection.loss);
    else if (error === undefined && this.#closing !== undefined) {
      this.#lose(this.#channelFault(messages.channelClosed(broker)));
    } else {
      const { code } = closeReply(error);
      this.#lose(this.#channelFault(messages.channelLost(broker, error), error, code));
    }
  }

  #lose(loss: AmqpError): void {
    if (this.#loss !== undefined) return;
    this.#loss = loss;
    queueMicrotask(() => {
      for (const rpc of this.#pending) {
        rpc.cancelDeadline();
        rpc.reject(this.fault(rpc.method));
      }
      this.#pending.clear();
      this.ended(loss);
      this.#closed?.();
      this.#told = true;
      this.events.close.tell(loss);
      this.events.close.clear();
    });
  }

  #channelFault(message: string, cause?: unknown, code?: number): AmqpError {
    const { connection } = this;
    const fault = { scope: 'channel', code, connection, channel: this } as const;
    return new AmqpError(message, fault, cause === undefined ? undefined : { cause });
  }
}
