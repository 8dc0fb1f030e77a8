import { isIP } from 'node:net';
import { credentials } from 'amqplib/callback_api';
import type { Options, SocketOptions } from 'amqplib/callback_api';
import type { Broker } from './broker.js';
import type { ConnectOptions } from './transport.js';

/** RabbitMQ splits bodies at 128 KiB; amqplib's own limit of 64 MiB lets one frame stall the event loop. */
const MAX_FRAME_SIZE = 1024 * 1024;

/** Where a broker is reached; of one in memory not the address that it is known by. */
export type NetworkAddress = Pick<Broker, 'protocol' | 'hostname' | 'port'>;

/** The broker's address in amqplib's object form; the URL form decodes non-ASCII passwords wrongly. */
export function addressOf(
  broker: Broker,
  options: ConnectOptions,
  { protocol, hostname, port }: NetworkAddress = broker,
): Options.Connect {
  const heartbeat = broker.heartbeat ?? options.heartbeat;
  return {
    protocol,
    hostname,
    port,
    // The object form, too, is percent-decoded by amqplib.
    vhost: encodeURIComponent(broker.vhost),
    heartbeat: Math.max(1, Math.ceil(heartbeat / 1000)),
    maxFrameSize: Math.max(MAX_FRAME_SIZE, broker.frameMax ?? 0),
    ...(broker.frameMax === undefined ? {} : { frameMax: broker.frameMax }),
    ...(broker.channelMax === undefined ? {} : { channelMax: broker.channelMax }),
  };
}

/** The socket and the login. `signal` destroys the socket in whatever phase it is. */
export function socketOptionsOf(
  broker: Broker,
  login: { readonly username: string; readonly password: string },
  connectionName: string,
  signal: AbortSignal,
): SocketOptions & { readonly signal: AbortSignal } {
  const servername =
    broker.tls?.servername ?? (isIP(broker.hostname) ? undefined : broker.hostname);
  return {
    ...broker.tls,
    ...(servername === undefined ? {} : { servername }),
    // amqplib's own timeout is one of inactivity, which a dripping handshake never meets.
    timeout: undefined,
    noDelay: true,
    keepAlive: true,
    clientProperties: { connection_name: connectionName },
    credentials:
      broker.authMechanism === 'external'
        ? credentials.external()
        : credentials.plain(login.username, login.password),
    signal,
  };
}
