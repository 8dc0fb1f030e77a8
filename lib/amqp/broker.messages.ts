import { printable } from '../printable.js';
import { maskedUrl } from './redact.js';

const encode = 'percent-encode it (# is %23, / is %2F, : is %3A, ; is %3B, ? is %3F, @ is %40)';

/** @returns the name of an entry of the list of brokers, as the sentences below begin */
export const brokerEntry = (index: number, url?: string): string =>
  url === undefined ? `urls[${index}]` : `urls[${index}] (${printable(maskedUrl(url))})`;

export const notBrokers = (kind: string): string =>
  `urls is ${kind}; allowed: a string of broker URLs separated by ";", or an array of URLs or broker options`;

export const noBrokers = (): string => 'urls is empty; at least one broker is needed';

export const emptyEntry = (entry: string): string =>
  `${entry} is empty; each part between ";" must be a broker URL (one ";" at the end is allowed)`;

export const separatorInEntry = (entry: string): string =>
  `${entry} holds a ";"; give each broker as an array element of its own, and if the ";" belongs to a password, ${encode}`;

export const controlCharacter = (entry: string, part: string): string =>
  `${entry}: the ${part} holds a control character (a line break at the end of a secret file?)`;

export const rawCharacter = (entry: string, character: string): string =>
  `${entry}: it holds a raw ${character}; if it belongs to the user, the password or the vhost, ${encode}`;

export const badPercentEncoding = (entry: string, part: string): string =>
  `${entry}: the ${part} is not valid percent-encoded UTF-8; a "%" itself is written %25`;

export const unknownScheme = (entry: string, scheme: string): string =>
  `${entry}: the scheme is "${printable(scheme)}"; allowed: amqp, amqps, memory`;

export const badPort = (entry: string): string =>
  `${entry}: the port is not a whole number from 1 to 65535 (not shown, as it may be a part of a password: then ${encode}). ` +
  'An IPv6 address goes in brackets';

export const badHostname = (entry: string): string =>
  `${entry}: the hostname is not a name or an IP address; brokers are separated by ";", and an IPv6 address goes in brackets in a URL`;

export const unknownQueryKey = (entry: string, key: string, allowed: readonly string[]): string =>
  `${entry}: unknown query parameter "${printable(key)}"; allowed: ${allowed.join(', ')}`;

export const repeatedQueryKey = (entry: string, key: string): string =>
  `${entry}: the query parameter "${key}" is given twice`;

export const heartbeatOff = (option: string): string =>
  `${option} is 0, which turns heartbeats off: a dead broker would never be noticed. Leave it out for the default`;

export const heartbeatInSeconds = (option: string, value: number): string =>
  `${option} is ${value}; allowed: milliseconds, at least 1000 (only the ?heartbeat= of a URL is in seconds)`;

export const unreadableFile = (option: string, path: string, reason: string): string =>
  `${option}: cannot read "${printable(path)}" (${reason})`;

export const tlsWithoutAmqps = (entry: string, option: string): string =>
  `${entry}: ${option} needs TLS; use amqps`;

export const memoryOption = (entry: string, option: string): string =>
  `${entry}: ${option} means nothing to a memory broker, which is found by its name; leave it out`;

export const mixedSchemes = (plain: string, secure: string): string =>
  `urls mixes amqps and amqp: after a failover from ${secure}, ${plain} would receive the password in clear. ` +
  'Use amqps for all, or pass allowMixedSchemes: true';

export const duplicateBroker = (entry: string, earlier: string): string =>
  `${entry} has the same address as ${earlier}; a broker may be listed once`;

export const passwordOfWrongType = (broker: string, type: string): string =>
  `the password function of ${broker} gave something of type ${type}; allowed: a string without a NUL`;

export const passwordNotAtHand = (broker: string): string =>
  `the password of ${broker} comes from a function, so asUri() cannot include it; use credentials()`;
