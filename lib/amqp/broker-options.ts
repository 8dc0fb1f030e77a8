import type { ConnectionOptions } from 'node:tls';

/** `amqps` is AMQP over TLS; `memory` is a broker in this process, for development and tests. */
export type BrokerProtocol = 'amqp' | 'amqps' | 'memory';

/** A password, or a function that is asked for it each time this broker is dialled. */
export type BrokerPassword = string | (() => string | Promise<string>);

/** The address of one broker as an object. Durations are milliseconds. An unknown key is refused. */
export interface BrokerOptions {
  /** Default: `amqps` if `tls` is given, else that of the first broker of the list, else `amqp`. */
  readonly protocol?: BrokerProtocol | undefined;
  /** A name or an IP address; IPv6 without brackets. Of `memory` the name of the broker. */
  readonly hostname: string;
  /** Default 5672, with TLS 5671; not for `memory`, whose port is found by its name. */
  readonly port?: number | undefined;
  /** Default `guest`. */
  readonly username?: string | undefined;
  /** Default `guest` if the username is `guest`, else empty. */
  readonly password?: BrokerPassword | undefined;
  /** Default `/`. */
  readonly vhost?: string | undefined;
  /** At least 1,000; goes to the broker in whole seconds. */
  readonly heartbeat?: number | undefined;
  /** For the whole attempt to connect: name lookup, TCP, TLS and handshake. */
  readonly connectTimeout?: number | undefined;
  /** The highest channel number to ask for. */
  readonly channelMax?: number | undefined;
  /** Bytes; at least 4,096. */
  readonly frameMax?: number | undefined;
  /** Passed on to `tls.connect`. The server's certificate is verified unless `rejectUnauthorized: false` is given. */
  readonly tls?: ConnectionOptions | undefined;
  /** `external`: the broker knows us by our TLS certificate. Default `plain`. */
  readonly authMechanism?: 'plain' | 'external' | undefined;
}
