/** What is known of a publish that was not confirmed. */
export type PublishOutcome = 'not-sent' | 'returned' | 'nacked' | 'refused' | 'unknown';

/** One failed attempt to reach one broker; `broker` is its address with the password masked. */
export interface BrokerFailure {
  readonly broker: string;
  readonly error: Error;
}

const brand = (name: string): symbol => Symbol.for(`nestjs-failover.${name}`);

const carries = (error: unknown, mark: symbol): boolean =>
  typeof error === 'object' && error !== null && mark in error;

const FAILOVER = brand('FailoverError');
const OPERATIONAL = brand('OperationalError');
const CONFIGURATION = brand('ConfigurationError');
const AMQP = brand('AmqpError');
const CONNECT = brand('ConnectError');
const CLOSED = brand('ConnectionClosedError');
const TIMEOUT = brand('TimeoutError');
const TOPOLOGY = brand('TopologyError');
const PUBLISH = brand('PublishError');
const SERIALIZATION = brand('SerializationError');
const MESSAGE_STATE = brand('MessageStateError');

/**
 * The root of everything this package throws. Two copies of the package in one process are normal in Node, so ask with
 * `isFailoverError(error)` and its siblings rather than with `instanceof`.
 */
export class FailoverError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    Object.defineProperty(this, 'name', {
      value: new.target.name,
      configurable: true,
      writable: true,
    });
  }

  get [FAILOVER](): true {
    return true;
  }
}

/** An option, an argument or a declaration was refused; the message names it, its (masked) value and what is allowed. */
export class ConfigurationError extends FailoverError {
  get [CONFIGURATION](): true {
    return true;
  }
}

/** A policy gave up: no broker could be reached, or an operation failed more often than it may. */
export class OperationalError extends FailoverError {
  constructor(
    message: string,
    /** How often it was tried. */
    readonly attempts: number,
    /** The last failure of each broker, in the order in which they were tried. */
    readonly failures: readonly BrokerFailure[],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  get [OPERATIONAL](): true {
    return true;
  }
}

/** What went wrong on a live connection or channel, as AMQP tells it. */
export interface AmqpFault {
  /** What died: the whole connection, one channel, or (`operation`) neither. */
  readonly scope: 'connection' | 'channel' | 'operation';
  /** The AMQP reply code, if the broker gave one and it belongs to this very operation. */
  readonly code?: number | undefined;
  /** The connection record the operation ran on; compared by identity. */
  readonly connection: object;
  /** The channel record the operation ran on; compared by identity. */
  readonly channel?: object | undefined;
}

/**
 * A fault of a connection or channel of this package. It is the brand by which `ensure` tells a lost broker from the
 * caller's own error: an error that is not an `AmqpError`, and has none in its chain of causes, is never retried.
 */
export class AmqpError extends FailoverError {
  declare readonly fault: AmqpFault;
  /** The AMQP reply code (404, 406, 320, ...), if the broker gave one. */
  readonly code: number | undefined;

  constructor(message: string, fault: AmqpFault, options?: ErrorOptions) {
    super(message, options);
    this.code = fault.code;
    // Not enumerable: the records hold sockets and credentials, which no log may print.
    Object.defineProperty(this, 'fault', { value: fault, enumerable: false });
  }

  get [AMQP](): true {
    return true;
  }
}

/** Why a broker could not be connected to. `refused`: it answered and said no (login, virtual host, limit). */
export type ConnectFailureReason = 'unreachable' | 'timeout' | 'refused' | 'tls' | 'protocol';

/** One broker could not be connected to. */
export class ConnectError extends FailoverError {
  constructor(
    message: string,
    readonly reason: ConnectFailureReason,
    /** The address of the broker with its password masked. */
    readonly broker: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  get [CONNECT](): true {
    return true;
  }
}

/** The connection was closed by its owner; nothing will be retried on it. */
export class ConnectionClosedError extends FailoverError {
  get [CLOSED](): true {
    return true;
  }
}

/** The caller's own deadline passed. */
export class TimeoutError extends FailoverError {
  get [TIMEOUT](): true {
    return true;
  }
}

/** The broker holds a queue, exchange or binding that differs from its declaration, or refuses to declare it. */
export class TopologyError extends FailoverError {
  constructor(
    message: string,
    /** The declared thing, as in `queue "orders"`. */
    readonly entity: string,
    /** The AMQP reply code: 406 differs, 403 not allowed, 404 something it needs is missing. */
    readonly code: number | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  get [TOPOLOGY](): true {
    return true;
  }
}

/** A publish was not confirmed; `outcome` says what is known of it. */
export class PublishError extends FailoverError {
  constructor(
    message: string,
    readonly outcome: PublishOutcome,
    readonly messageId: string,
    /** The AMQP reply code, when the broker gave one. */
    readonly code?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  get [PUBLISH](): true {
    return true;
  }
}

/** A mandatory message reached the exchange, but no queue took it. Its `outcome` is `returned`. */
export class UnroutableError extends PublishError {}

/** The outbox holds as much as it may. Its `outcome` is `not-sent`. */
export class OutboxFullError extends PublishError {}

/** A body or a header cannot be encoded, or a body cannot be decoded. */
export class SerializationError extends FailoverError {
  get [SERIALIZATION](): true {
    return true;
  }
}

/** A message was settled a second time. */
export class MessageStateError extends FailoverError {
  get [MESSAGE_STATE](): true {
    return true;
  }
}

/** @returns whether `error` was made by (any copy of) this package. */
export const isFailoverError = (error: unknown): error is FailoverError => carries(error, FAILOVER);
/** @returns whether a policy gave up. */
export const isOperationalError = (error: unknown): error is OperationalError =>
  carries(error, OPERATIONAL);
/** @returns whether an option or a declaration was refused. */
export const isConfigurationError = (error: unknown): error is ConfigurationError =>
  carries(error, CONFIGURATION);
/** @returns whether a connection or channel of this package failed. */
export const isAmqpError = (error: unknown): error is AmqpError => carries(error, AMQP);
/** @returns whether one broker could not be connected to. */
export const isConnectError = (error: unknown): error is ConnectError => carries(error, CONNECT);
/** @returns whether the connection was closed by its owner. */
export const isConnectionClosedError = (error: unknown): error is ConnectionClosedError =>
  carries(error, CLOSED);
/** @returns whether a deadline of the caller's passed. */
export const isTimeoutError = (error: unknown): error is TimeoutError => carries(error, TIMEOUT);
/** @returns whether the broker's topology differs from the declared one. */
export const isTopologyError = (error: unknown): error is TopologyError => carries(error, TOPOLOGY);
/** @returns whether a publish was not confirmed. */
export const isPublishError = (error: unknown): error is PublishError => carries(error, PUBLISH);
/** @returns whether something could not be encoded or decoded. */
export const isSerializationError = (error: unknown): error is SerializationError =>
  carries(error, SERIALIZATION);
/** @returns whether a message was settled twice. */
export const isMessageStateError = (error: unknown): error is MessageStateError =>
  carries(error, MESSAGE_STATE);
