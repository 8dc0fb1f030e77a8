import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { ConfigurationError } from '../errors.js';
import type { BrokerOptions } from './broker-options.js';
import {
  heartbeatOff,
  repeatedQueryKey,
  unknownQueryKey,
  unreadableFile,
} from './broker.messages.js';
import { optionRefused } from '../option.messages.js';
import { oneOf, wholeNumber } from '../policy/check-options.js';
import type { OptionCheck } from '../policy/check-options.js';
import { percentDecode } from './percent-decode.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type FromQuery = Mutable<Omit<BrokerOptions, 'hostname'>>;
type ReadParameter = (found: FromQuery, value: string, option: string) => void;

const checked = <T>(check: OptionCheck, value: T, option: string): T => {
  if (!check.accepts(value)) {
    throw new ConfigurationError(optionRefused(option, value, check.allowed));
  }
  return value;
};

const toNumber = (value: string): number => (/^\d+$/u.test(value) ? Number(value) : Number.NaN);

function numberOf(value: string, check: OptionCheck, option: string): number {
  if (!check.accepts(toNumber(value))) {
    throw new ConfigurationError(optionRefused(option, value, check.allowed));
  }
  return toNumber(value);
}

function fileOf(path: string, option: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = String((error as NodeJS.ErrnoException).code);
    throw new ConfigurationError(unreadableFile(option, path, reason), { cause: error });
  }
}

const tlsOption =
  (read: (value: string, option: string) => ConnectionOptions): ReadParameter =>
  (found, value, option) => {
    found.tls = { ...found.tls, ...read(value, option) };
  };

const channelMax: ReadParameter = (found, value, option) => {
  found.channelMax = numberOf(value, wholeNumber(1, 65_535), option);
};

const frameMax: ReadParameter = (found, value, option) => {
  found.frameMax = numberOf(value, wholeNumber(4096, 2 ** 32 - 1, 'bytes'), option);
};

// The names are RabbitMQ's (its page "URI Query Parameters"), with amqplib's spelling of the two it reads.
const PARAMETERS: Readonly<Record<string, ReadParameter>> = {
  heartbeat: (found, value, option) => {
    if (toNumber(value) === 0) throw new ConfigurationError(heartbeatOff(option));
    found.heartbeat = numberOf(value, wholeNumber(1, 65_535, 'seconds'), option) * 1000;
  },
  connection_timeout: (found, value, option) => {
    found.connectTimeout = numberOf(value, wholeNumber(1, 2 ** 31 - 1, 'milliseconds'), option);
  },
  channel_max: channelMax,
  channelMax,
  frame_max: frameMax,
  frameMax,
  auth_mechanism: (found, value, option) => {
    checked(oneOf('plain', 'external'), value.toLowerCase(), option);
    found.authMechanism = value.toLowerCase() === 'external' ? 'external' : 'plain';
  },
  cacertfile: tlsOption((path, option) => ({ ca: fileOf(path, option) })),
  certfile: tlsOption((path, option) => ({ cert: fileOf(path, option) })),
  keyfile: tlsOption((path, option) => ({ key: fileOf(path, option) })),
  password: tlsOption((passphrase) => ({ passphrase })),
  verify: tlsOption((value, option) => ({
    rejectUnauthorized:
      checked(oneOf('verify_peer', 'verify_none'), value, option) === 'verify_peer',
  })),
  server_name_indication: tlsOption((servername) => ({ servername })),
};

/**
 * Reads the query of a broker URL. `heartbeat` is in seconds and `connection_timeout` in milliseconds, as RabbitMQ has it.
 *
 * @throws ConfigurationError for an unknown or repeated parameter, a bad value or an unreadable file
 */
export function brokerQuery(query: string, entry: string): FromQuery {
  const found: FromQuery = {};
  const seen = new Set<ReadParameter>();
  for (const pair of query.split('&').filter((part) => part !== '')) {
    const [key = '', ...value] = pair.split('=');
    const read = Object.hasOwn(PARAMETERS, key) ? PARAMETERS[key] : undefined;
    if (read === undefined) {
      throw new ConfigurationError(unknownQueryKey(entry, key, Object.keys(PARAMETERS)));
    }
    if (seen.has(read)) throw new ConfigurationError(repeatedQueryKey(entry, key));
    seen.add(read);
    read(
      found,
      percentDecode(value.join('='), entry, `query parameter "${key}"`),
      `${entry}: ${key}`,
    );
  }
  return found;
}
