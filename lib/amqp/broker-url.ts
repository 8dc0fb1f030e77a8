import { ConfigurationError } from '../errors.js';
import type { BrokerOptions, BrokerProtocol } from './broker-options.js';
import {
  badHostname,
  badPort,
  controlCharacter,
  rawCharacter,
  unknownScheme,
} from './broker.messages.js';
import { brokerQuery } from './broker-query.js';
import { percentDecode } from './percent-decode.js';

const PARTS = /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/isu;
const HOST_AND_PORT = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/u;

const protocols: readonly string[] = ['amqp', 'amqps', 'memory'] satisfies BrokerProtocol[];

const isProtocol = (scheme: string): scheme is BrokerProtocol => protocols.includes(scheme);

function protocolOf(scheme: string | undefined, entry: string): BrokerProtocol | undefined {
  const protocol = scheme?.toLowerCase();
  if (protocol === undefined || isProtocol(protocol)) return protocol;
  throw new ConfigurationError(unknownScheme(entry, protocol));
}

function loginOf(userinfo: string | undefined, entry: string): Partial<BrokerOptions> {
  if (userinfo === undefined) return {};
  const colon = userinfo.indexOf(':');
  if (colon === -1) return { username: percentDecode(userinfo, entry, 'username') };
  return {
    username: percentDecode(userinfo.slice(0, colon), entry, 'username'),
    password: percentDecode(userinfo.slice(colon + 1), entry, 'password'),
  };
}

function hostOf(text: string, entry: string): { hostname: string; port?: number } {
  const match = HOST_AND_PORT.exec(text);
  if (match === null) throw new ConfigurationError(badHostname(entry));
  const [, host = '', port] = match;
  if (
    port !== undefined &&
    (!/^\d{1,5}$/u.test(port) || Number(port) === 0 || Number(port) > 65_535)
  ) {
    throw new ConfigurationError(badPort(entry));
  }
  // Brackets are left on for the check that only an IPv6 address stands in them.
  const hostname = host === '' ? 'localhost' : percentDecode(host, entry, 'hostname');
  return port === undefined ? { hostname } : { hostname, port: Number(port) };
}

/**
 * Reads one broker URL, as RabbitMQ's URI specification has it, without filling in defaults but the hostname's
 * (`localhost`). User, password, host and vhost are percent-decoded as UTF-8; a raw `/` in the vhost is accepted.
 *
 * One deliberate difference: by the specification's appendix the vhost of `amqp://host/` is the empty string. No broker
 * has such a vhost by default, and both amqplib and kombu mean `/`; so does this.
 *
 * @throws ConfigurationError without the password in it
 */
export function brokerUrl(url: string, entry: string): BrokerOptions {
  if (/\p{Cc}/u.test(url)) throw new ConfigurationError(controlCharacter(entry, 'URL'));
  const raw = /[#\s]/u.exec(url)?.[0];
  if (raw !== undefined) {
    throw new ConfigurationError(rawCharacter(entry, raw === '#' ? '"#"' : 'space'));
  }
  const [, scheme, authority = '', path = '', query = ''] = PARTS.exec(url) ?? [];
  const protocol = protocolOf(scheme, entry);
  const [host = '', userinfo, ...more] = authority.split('@').toReversed();
  // Whichever of / ? @ stands raw in a password, an '@' is then left where none belongs.
  if (more.length > 0) throw new ConfigurationError(rawCharacter(entry, '"@"'));
  if (`${path}${query}`.includes('@')) {
    throw new ConfigurationError(rawCharacter(entry, '"/", "?" or "@"'));
  }
  return {
    protocol,
    ...loginOf(userinfo, entry),
    ...hostOf(host, entry),
    vhost: path === '' ? undefined : percentDecode(path, entry, 'vhost'),
    ...brokerQuery(query, entry),
  };
}
