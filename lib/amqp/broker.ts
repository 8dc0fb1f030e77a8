import { isIPv6 } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { ConfigurationError } from '../errors.js';
import type { BrokerPassword, BrokerProtocol } from './broker-options.js';
import { passwordNotAtHand, passwordOfWrongType } from './broker.messages.js';
import { MASK } from './redact.js';
import { sealedTls } from './sealed-tls.js';

export type { BrokerOptions } from './broker-options.js';

/** Everything about a broker, complete and checked: `parseBrokers` makes it. */
export interface BrokerAddress {
  readonly protocol: BrokerProtocol;
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  readonly password: BrokerPassword;
  readonly vhost: string;
  readonly heartbeat?: number | undefined;
  readonly connectTimeout?: number | undefined;
  readonly channelMax?: number | undefined;
  readonly frameMax?: number | undefined;
  readonly tls?: ConnectionOptions | undefined;
  readonly authMechanism?: 'plain' | 'external' | undefined;
}

export interface AsUriOptions {
  /** Default false. */
  readonly includePassword?: boolean;
  /** Stands for the password. Default `**`; an empty string leaves it out, as in kombu. */
  readonly mask?: string;
}

/**
 * The address of one broker, complete and immutable. Its password appears in no output: not in `toString`, `asUri()`, JSON,
 * `util.inspect`, nor as an enumerable property.
 */
export class Broker {
  readonly protocol: BrokerProtocol;
  /** In lower case; IPv6 without brackets. */
  readonly hostname: string;
  /** 0 for `memory`. */
  readonly port: number;
  readonly username: string;
  readonly vhost: string;
  /** Milliseconds; undefined: as the connection says. */
  readonly heartbeat: number | undefined;
  /** Milliseconds; undefined: as the connection says. */
  readonly connectTimeout: number | undefined;
  readonly channelMax: number | undefined;
  /** Bytes. */
  readonly frameMax: number | undefined;
  readonly authMechanism: 'plain' | 'external';
  readonly #password: BrokerPassword;
  readonly #tls: ConnectionOptions | undefined;

  constructor(address: BrokerAddress) {
    this.protocol = address.protocol;
    this.hostname = address.hostname;
    this.port = address.port;
    this.username = address.username;
    this.vhost = address.vhost;
    this.heartbeat = address.heartbeat;
    this.connectTimeout = address.connectTimeout;
    this.channelMax = address.channelMax;
    this.frameMax = address.frameMax;
    this.authMechanism = address.authMechanism ?? 'plain';
    this.#password = address.password;
    this.#tls = address.protocol === 'amqps' ? sealedTls(address.tls ?? {}) : undefined;
    Object.freeze(this);
  }

  /** For `tls.connect`; an object for `amqps`, else undefined. Inspecting it shows no value. */
  get tls(): ConnectionOptions | undefined {
    return this.#tls;
  }

  /** Whether it is guest/guest, which RabbitMQ accepts from its own machine only. */
  get usesDefaultCredentials(): boolean {
    return this.username === 'guest' && this.#password === 'guest';
  }

  /** Whether TLS is on but the server's certificate is not verified. */
  get skipsVerification(): boolean {
    return this.#tls?.rejectUnauthorized === false;
  }

  /**
   * The login, asked for anew at each dial.
   *
   * @throws ConfigurationError if the password function gives no string; what it throws itself is passed on
   */
  async credentials(): Promise<{ username: string; password: string }> {
    const password: unknown =
      typeof this.#password === 'function' ? await this.#password() : this.#password;
    // NUL separates the fields of SASL PLAIN.
    if (typeof password !== 'string' || password.includes('\0')) {
      throw new ConfigurationError(passwordOfWrongType(this.asUri(), typeof password));
    }
    return { username: this.username, password };
  }

  /**
   * `amqp://user:**@host:port/vhost`, or `memory://name/vhost`, with the parts percent-encoded, so that `parseBrokers` reads it back. Options of the
   * query are not part of it.
   *
   * @throws ConfigurationError if `includePassword` is asked and the password comes from a function
   */
  asUri({ includePassword = false, mask = MASK }: AsUriOptions = {}): string {
    if (includePassword && typeof this.#password === 'function') {
      throw new ConfigurationError(passwordNotAtHand(this.asUri()));
    }
    const password =
      includePassword && typeof this.#password === 'string'
        ? encodeURIComponent(this.#password)
        : mask;
    const vhost = encodeURIComponent(this.vhost);
    if (this.protocol === 'memory' && this.usesDefaultCredentials) {
      return `memory://${this.hostname}/${vhost}`;
    }
    const login = `${encodeURIComponent(this.username)}${password === '' ? '' : `:${password}`}`;
    const host = isIPv6(this.hostname) ? `[${this.hostname.replace('%', '%25')}]` : this.hostname;
    const port = this.protocol === 'memory' ? '' : `:${this.port}`;
    return `${this.protocol}://${login}@${host}${port}/${vhost}`;
  }

  /** @returns whether both are the same protocol, host, port, vhost and user */
  equals(other: Broker): boolean {
    return this.asUri() === other.asUri();
  }

  toString(): string {
    return this.asUri();
  }

  toJSON(): string {
    return this.asUri();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Broker <${this.asUri()}>`;
  }
}
