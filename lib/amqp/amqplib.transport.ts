import { connect } from 'amqplib/callback_api';
import { ConnectError, isConnectError } from '../errors.js';
import type { ConnectFailureReason } from '../errors.js';
import type { Clock } from '../policy/clock.js';
import { AmqplibConnection } from './amqplib.connection.js';
import { amqplibMessages as messages } from './amqplib.messages.js';
import type { AmqplibModel } from './amqplib.shapes.js';
import type { Broker } from './broker.js';
import { errorOf, untilAborted } from './deadline.js';
import { addressOf, socketOptionsOf } from './dial-options.js';
import { handshakeRefusal } from './handshake-refusal.js';
import type { ReportListenerError } from './listeners.js';
import { dialThroughGate } from './open-gate.js';
import { memoryAddress } from './memory-address.js';
import type { BrokerConnection, ConnectOptions, Transport } from './transport.js';

export interface AmqplibTransportOptions {
  readonly clock: Clock;
  /** Is told what a listener or a consumer callback threw, and where. Default: nobody is. */
  readonly onListenerError?: ReportListenerError | undefined;
}

/** The transport over amqplib. */
export class AmqplibTransport implements Transport {
  readonly #clock: Clock;
  readonly #report: ReportListenerError;

  constructor({ clock, onListenerError }: AmqplibTransportOptions) {
    this.#clock = clock;
    this.#report = (error, where) => {
      try {
        onListenerError?.(error, where);
      } catch {
        // There is nobody left to tell.
      }
    };
  }

  async connect(broker: Broker, options: ConnectOptions): Promise<BrokerConnection> {
    const timeout = broker.connectTimeout ?? options.connectTimeout;
    const attempt = new AbortController();
    const cancelDeadline = this.#clock.schedule(timeout, () =>
      attempt.abort(timedOut(broker, timeout)),
    );
    const giveUp = (): void => attempt.abort(givenUp(broker, options.signal.reason));
    options.signal.addEventListener('abort', giveUp, { once: true });
    if (options.signal.aborted) giveUp();
    try {
      return await untilAborted(attempt.signal, () => this.#dial(broker, options, attempt.signal));
    } catch (error) {
      const failure = isConnectError(error) ? error : refused(broker, error);
      attempt.abort(failure);
      throw failure;
    } finally {
      cancelDeadline();
      options.signal.removeEventListener('abort', giveUp);
    }
  }

  async #dial(
    broker: Broker,
    options: ConnectOptions,
    signal: AbortSignal,
  ): Promise<AmqplibConnection> {
    const login = await loginOf(broker);
    const address = broker.protocol === 'memory' ? await memoryAddress(broker) : broker;
    signal.throwIfAborted();
    const connection = await new Promise<AmqplibConnection>((resolve, reject) => {
      const opened = (error: Error | null, model: AmqplibModel): void => {
        // amqplib may call back more than once.
        if (error !== null) {
          reject(error);
          return;
        }
        const { rpcTimeout, closeTimeout } = options;
        const late = new AmqplibConnection(broker, model, {
          clock: this.#clock,
          rpcTimeout,
          closeTimeout,
          report: this.#report,
        });
        release();
        if (signal.aborted) late.destroy(errorOf(signal.reason));
        resolve(late);
      };
      const socketOptions = socketOptionsOf(broker, login, options.connectionName, signal);
      const release = dialThroughGate(() =>
        connect(addressOf(broker, options, address), socketOptions, opened),
      );
    });
    await connection.prove();
    return connection;
  }
}

async function loginOf(broker: Broker): Promise<{ username: string; password: string }> {
  try {
    return await broker.credentials();
  } catch (error) {
    const what = 'its password function failed';
    throw failed(broker, 'unreachable', what, 'See the cause of this error.', error);
  }
}

function refused(broker: Broker, error: unknown): ConnectError {
  const { reason, what, remedy } = handshakeRefusal(broker, error);
  return failed(broker, reason, what, remedy, error);
}

const timedOut = (broker: Broker, timeout: number): ConnectError =>
  failed(
    broker,
    'timeout',
    `it did not open within ${timeout} ms`,
    'Check host and port, that the broker answers, or allow more with `connectTimeout`.',
  );

const givenUp = (broker: Broker, cause: unknown): ConnectError =>
  failed(broker, 'timeout', 'the attempt was ended before it was over', 'Try again.', cause);

function failed(
  broker: Broker,
  reason: ConnectFailureReason,
  what: string,
  remedy: string,
  cause?: unknown,
): ConnectError {
  const address = String(broker);
  const message = messages.connectFailed(address, reason, what, remedy);
  return new ConnectError(message, reason, address, cause === undefined ? undefined : { cause });
}
