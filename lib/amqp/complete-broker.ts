import { isIPv6 } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { domainToASCII } from 'node:url';
import { ConfigurationError } from '../errors.js';
import { Broker } from './broker.js';
import type { BrokerOptions } from './broker-options.js';
import {
  badHostname,
  controlCharacter,
  heartbeatInSeconds,
  heartbeatOff,
  memoryOption,
  tlsWithoutAmqps,
} from './broker.messages.js';
import { optionRefused } from '../option.messages.js';
import { checkOptions, oneOf, text, wholeNumber } from '../policy/check-options.js';
import { shortString } from './short-string.js';
import type { OptionCheck } from '../policy/check-options.js';

const CHECKS: Readonly<Record<keyof BrokerOptions, OptionCheck>> = {
  protocol: oneOf('amqp', 'amqps', 'memory'),
  hostname: text,
  port: wholeNumber(1, 65_535),
  username: text,
  password: {
    allowed: 'a string without a NUL, or a function that gives one',
    // NUL separates the fields of SASL PLAIN.
    accepts: (value) =>
      typeof value === 'function' || (typeof value === 'string' && !value.includes('\0')),
    secret: true,
  },
  vhost: {
    allowed: `${shortString.allowed}, not empty (the default is "/")`,
    accepts: (value) => value !== '' && shortString.accepts(value),
  },
  heartbeat: {
    allowed: 'milliseconds from 1000 to 65535000',
    accepts: wholeNumber(0, 65_535_000).accepts,
  },
  connectTimeout: wholeNumber(1, 2 ** 31 - 1, 'milliseconds'),
  channelMax: wholeNumber(1, 65_535),
  frameMax: wholeNumber(4096, 2 ** 32 - 1, 'bytes'),
  tls: {
    allowed: 'an object of options for tls.connect',
    accepts: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    secret: true,
  },
  authMechanism: oneOf('plain', 'external'),
};

function hostnameOf(given: string, entry: string): string {
  const address = /^\[(.*)\]$/u.exec(given)?.[1] ?? given;
  if (isIPv6(address)) return address.toLowerCase();
  const ascii = /^[\u0021-\u007e]+$/u.test(given) ? given : domainToASCII(given);
  if (!/^[a-z0-9._~-]+$/iu.test(ascii)) throw new ConfigurationError(badHostname(entry));
  return ascii.toLowerCase();
}

function checkHeartbeat(heartbeat: number | undefined, entry: string): void {
  if (heartbeat === undefined || heartbeat >= 1000) return;
  const option = `${entry}: heartbeat`;
  const sentence = heartbeat === 0 ? heartbeatOff(option) : heartbeatInSeconds(option, heartbeat);
  throw new ConfigurationError(sentence);
}

function checkControls(options: BrokerOptions, entry: string): void {
  for (const part of ['username', 'vhost'] as const) {
    if (/\p{Cc}/u.test(options[part] ?? '')) {
      throw new ConfigurationError(controlCharacter(entry, part));
    }
  }
}

/** Of a memory broker it is not known before it is dialled. */
const DEFAULT_PORTS = { amqp: 5672, amqps: 5671, memory: 0 } as const;

function checkMemory({ hostname, port }: BrokerOptions, entry: string): void {
  if (port !== undefined) throw new ConfigurationError(memoryOption(entry, 'a port'));
  if (isIPv6(hostname.replaceAll(/[[\]]/gu, ''))) throw new ConfigurationError(badHostname(entry));
}

function inheritedTls(first: Broker | undefined): ConnectionOptions {
  const shared = { ...first?.tls };
  delete shared.servername;
  return shared;
}

/**
 * Checks the options of one broker and fills in the defaults. An omitted protocol is that of `first`, the first of the
 * list, together with its TLS options but for `servername`, which names that one host.
 *
 * @throws ConfigurationError naming the option
 */
export function completeBroker(options: BrokerOptions, entry: string, first?: Broker): Broker {
  checkOptions(entry, options, CHECKS);
  if ((options.hostname as unknown) === undefined) {
    throw new ConfigurationError(optionRefused(`${entry}: hostname`, undefined, text.allowed));
  }
  checkControls(options, entry);
  checkHeartbeat(options.heartbeat, entry);
  const own = options.protocol ?? (options.tls === undefined ? undefined : 'amqps');
  const protocol = own ?? first?.protocol ?? 'amqp';
  if (protocol === 'memory') checkMemory(options, entry);
  if (protocol !== 'amqps' && options.tls !== undefined) {
    throw new ConfigurationError(
      tlsWithoutAmqps(entry, `tls (${Object.keys(options.tls).join(', ')})`),
    );
  }
  const inherited = options.protocol === undefined ? inheritedTls(first) : {};
  const username = options.username ?? 'guest';
  return new Broker({
    ...options,
    protocol,
    hostname: hostnameOf(options.hostname, entry),
    port: options.port ?? DEFAULT_PORTS[protocol],
    username,
    password: options.password ?? (username === 'guest' ? 'guest' : ''),
    vhost: options.vhost ?? '/',
    tls: { ...inherited, ...options.tls },
  });
}
