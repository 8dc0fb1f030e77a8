import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseBrokers } from '../../lib/amqp/broker-address.js';
import type { BrokerInput } from '../../lib/amqp/broker-address.js';
import {
  badHostname,
  badPercentEncoding,
  badPort,
  brokerEntry,
  controlCharacter,
  duplicateBroker,
  emptyEntry,
  heartbeatInSeconds,
  heartbeatOff,
  memoryOption,
  mixedSchemes,
  noBrokers,
  notBrokers,
  rawCharacter,
  separatorInEntry,
  tlsWithoutAmqps,
  unknownScheme,
} from '../../lib/amqp/broker.messages.js';
import { notAnObject, optionRefused, secretRefused } from '../../lib/option.messages.js';
import { isConfigurationError } from '../../lib/errors.js';

const secret = 's3cr3t-p4ss';
const uris = (urls: string | BrokerInput[]) => parseBrokers(urls).map(String);

const refusal = (urls: unknown): Error => {
  try {
    parseBrokers(urls as string);
  } catch (error) {
    if (isConfigurationError(error)) return error;
    throw error;
  }
  throw new Error('it was accepted');
};

describe('a list of brokers', () => {
  it.each<[string, string | BrokerInput[], string[]]>([
    ['one URL', 'amqp://a', ['amqp://guest:**@a:5672/%2F']],
    ['two URLs', 'amqp://a;amqp://b', ['amqp://guest:**@a:5672/%2F', 'amqp://guest:**@b:5672/%2F']],
    ['one ; at the end', 'amqp://a;', ['amqp://guest:**@a:5672/%2F']],
    [
      'spaces around the ;',
      'amqp://a ; amqp://b ; ',
      ['amqp://guest:**@a:5672/%2F', 'amqp://guest:**@b:5672/%2F'],
    ],
    [
      "the guide's second URL without a scheme",
      'amqp://u:p@broken;guest:guest@healthy.example.com',
      ['amqp://u:**@broken:5672/%2F', 'amqp://guest:**@healthy.example.com:5672/%2F'],
    ],
    ['no scheme at all', 'a;b:5673', ['amqp://guest:**@a:5672/%2F', 'amqp://guest:**@b:5673/%2F']],
    [
      'a scheme taken from the first',
      'amqps://a;b',
      ['amqps://guest:**@a:5671/%2F', 'amqps://guest:**@b:5671/%2F'],
    ],
    [
      'an array',
      ['amqps://a', 'b'],
      ['amqps://guest:**@a:5671/%2F', 'amqps://guest:**@b:5671/%2F'],
    ],
    [
      'objects',
      [
        { hostname: 'a', vhost: 'v' },
        { hostname: '::1', port: 5673 },
      ],
      ['amqp://guest:**@a:5672/v', 'amqp://guest:**@[::1]:5673/%2F'],
    ],
    [
      'an object after a secure URL',
      ['amqps://a', { hostname: 'b' }],
      ['amqps://guest:**@a:5671/%2F', 'amqps://guest:**@b:5671/%2F'],
    ],
    ['an object with TLS options', [{ hostname: 'a', tls: {} }], ['amqps://guest:**@a:5671/%2F']],
  ])('takes %s', (_, urls, expected) => {
    expect(uris(urls)).toEqual(expected);
  });

  it('keeps a broker that was parsed before', () => {
    const [broker] = parseBrokers('amqp://a');
    expect(parseBrokers([broker!])[0]).toBe(broker);
  });

  it('inherits nothing but scheme and TLS', () => {
    const query = 'heartbeat=5&channel_max=7&auth_mechanism=external&verify=verify_none';
    const [, second] = parseBrokers(`amqps://u:p@a:5999/v?${query}&server_name_indication=a;b`);
    expect(second).toMatchObject({ protocol: 'amqps', username: 'guest', port: 5671, vhost: '/' });
    expect(second).toMatchObject({
      heartbeat: undefined,
      channelMax: undefined,
      authMechanism: 'plain',
    });
    expect(second?.tls).toEqual({ rejectUnauthorized: false });
  });

  it('lets an entry add to the TLS options it inherits', () => {
    const [, second] = parseBrokers('amqps://a?verify=verify_none;b?server_name_indication=b');
    expect({ ...second?.tls }).toEqual({ rejectUnauthorized: false, servername: 'b' });
  });

  it('does not give the TLS options of the first to one that names its scheme', () => {
    const [, second] = parseBrokers('amqps://a?verify=verify_none;amqps://b');
    expect({ ...second?.tls }).toEqual({});
  });

  it('mixes schemes only when told to', () => {
    const urls = 'amqps://a;amqp://b';
    expect(parseBrokers(urls, { allowMixedSchemes: true })).toHaveLength(2);
    const sentence = mixedSchemes('amqp://guest:**@b:5672/%2F', 'amqps://guest:**@a:5671/%2F');
    expect(refusal(urls).message).toBe(sentence);
    expect(refusal('amqp://b;amqps://a').message).toBe(sentence);
  });
});

describe('a refused list', () => {
  const entry = brokerEntry(0, `amqp://u:${secret}@h`);

  it.each<[string, unknown, string]>([
    ['undefined', undefined, notBrokers('undefined')],
    ['a number', 7, notBrokers('7')],
    ['an object', { hostname: 'a' }, notBrokers('an object')],
    ['an empty string', '', noBrokers()],
    ['an empty array', [], noBrokers()],
    ['only a ;', ';', emptyEntry('urls[0]')],
    ['an empty entry', 'amqp://a;;amqp://b', emptyEntry('urls[1]')],
    ['two ; at the end', 'amqp://a;;', emptyEntry('urls[1]')],
    ['an empty array entry', ['amqp://a', ''], emptyEntry('urls[1]')],
    ['a number in an array', [7], notAnObject('urls[0]', 7)],
    ['null in an array', [null], notAnObject('urls[0]', null)],
    ['a ; in an array entry', ['amqp://a;amqp://b'], separatorInEntry(brokerEntry(0, 'amqp://a'))],
    ['an unknown scheme', 'http://h', unknownScheme(brokerEntry(0, 'http://h'), 'http')],
    [
      'a port of a memory broker',
      'memory://h:5672',
      memoryOption(brokerEntry(0, 'memory://h:5672'), 'a port'),
    ],
    ['an address in memory', 'memory://[::1]', badHostname(brokerEntry(0, 'memory://[::1]'))],
    ['port 0', 'amqp://h:0', badPort(brokerEntry(0, 'amqp://h:0'))],
    ['port 65536', 'amqp://h:65536', badPort(brokerEntry(0, 'amqp://h:65536'))],
    ['an empty port', 'amqp://h:', badPort(brokerEntry(0, 'amqp://h:'))],
    ['a port that is a password', `amqp://u:${secret}`, badPort('urls[0] (amqp://u:**)')],
    ['IPv6 without brackets', 'amqp://::1', badPort('urls[0] (amqp://:**)')],
    ['a name in brackets', 'amqp://[host]', badHostname(brokerEntry(0, 'amqp://[host]'))],
    ['text after brackets', 'amqp://[::1]x', badHostname(brokerEntry(0, 'amqp://[::1]x'))],
    ['brokers with a comma', 'amqp://a,b', badHostname(brokerEntry(0, 'amqp://a,b'))],
    ['a raw # in the password', `amqp://u:#${secret}@h`, rawCharacter(entry, '"#"')],
    ['a raw / in the password', `amqp://u:x/${secret}@h`, rawCharacter(entry, '"/", "?" or "@"')],
    ['a raw ? in the password', `amqp://u:x?${secret}@h`, rawCharacter(entry, '"/", "?" or "@"')],
    ['a raw @ in the password', `amqp://u:x@${secret}@h`, rawCharacter(entry, '"@"')],
    ['a space in the password', `amqp://u:x ${secret}@h`, rawCharacter(entry, 'space')],
    ['a raw % in the password', `amqp://u:%${secret}@h`, badPercentEncoding(entry, 'password')],
    ['bytes that are not UTF-8', `amqp://u:%E4${secret}@h`, badPercentEncoding(entry, 'password')],
    [
      'a bad % in the vhost',
      'amqp://h/%zz',
      badPercentEncoding(brokerEntry(0, 'amqp://h/%zz'), 'vhost'),
    ],
    ['a line break', `amqp://u:${secret}@h\n`, controlCharacter(entry, 'URL')],
    [
      'an encoded control in the vhost',
      'amqp://h/%0A',
      controlCharacter(brokerEntry(0, 'amqp://h/%0A'), 'vhost'),
    ],
    [
      'an encoded control in the username',
      'amqp://u%00@h',
      controlCharacter('urls[0] (amqp://u%00:**@h)', 'username'),
    ],
    [
      'an encoded NUL in the password',
      `amqp://u:${secret}%00@h`,
      secretRefused(
        `${entry}: password`,
        'x',
        'a string without a NUL, or a function that gives one',
      ),
    ],
    [
      'a duplicate',
      'amqp://u:a@h;amqp://u:b@H:5672/',
      duplicateBroker('urls[1] (amqp://u:**@h:5672/%2F)', 'urls[0]'),
    ],
  ])('says what is wrong with %s', (_, urls, sentence) => {
    const error = refusal(urls);
    expect(error.message).toBe(sentence);
    expect(inspect(error, { showHidden: true, depth: 9 })).not.toContain(secret);
  });

  it.each<[string, object, string]>([
    ['no hostname', {}, optionRefused('urls[0]: hostname', undefined, 'a string')],
    [
      'a URL instance',
      new URL('amqp://h'),
      optionRefused('urls[0]: hostname', undefined, 'a string'),
    ],
    ['an empty hostname', { hostname: '' }, badHostname('urls[0]')],
    ['a URL as hostname', { hostname: `amqp://u:${secret}@h` }, badHostname('urls[0]')],
    [
      'an unknown protocol',
      { hostname: 'h', protocol: 'http' },
      optionRefused('urls[0]: protocol', 'http', "'amqp' | 'amqps' | 'memory'"),
    ],
    [
      'a port as text',
      { hostname: 'h', port: '5672' },
      optionRefused('urls[0]: port', '5672', 'a whole number from 1 to 65535'),
    ],
    [
      'a negative port',
      { hostname: 'h', port: -1 },
      optionRefused('urls[0]: port', -1, 'a whole number from 1 to 65535'),
    ],
    [
      'a password that is no text',
      { hostname: 'h', password: 4711 },
      secretRefused(
        'urls[0]: password',
        4711,
        'a string without a NUL, or a function that gives one',
      ),
    ],
    [
      'an empty vhost',
      { hostname: 'h', vhost: '' },
      optionRefused(
        'urls[0]: vhost',
        '',
        'a string of at most 255 bytes in UTF-8, not empty (the default is "/")',
      ),
    ],
    ['heartbeat 0', { hostname: 'h', heartbeat: 0 }, heartbeatOff('urls[0]: heartbeat')],
    [
      'a heartbeat in seconds',
      { hostname: 'h', heartbeat: 5 },
      heartbeatInSeconds('urls[0]: heartbeat', 5),
    ],
    [
      'a negative heartbeat',
      { hostname: 'h', heartbeat: -1000 },
      optionRefused('urls[0]: heartbeat', -1000, 'milliseconds from 1000 to 65535000'),
    ],
    [
      'a heartbeat without end',
      { hostname: 'h', heartbeat: Infinity },
      optionRefused('urls[0]: heartbeat', Infinity, 'milliseconds from 1000 to 65535000'),
    ],
    [
      'a connectTimeout of NaN',
      { hostname: 'h', connectTimeout: NaN },
      optionRefused(
        'urls[0]: connectTimeout',
        NaN,
        'a whole number of milliseconds from 1 to 2147483647',
      ),
    ],
    [
      'TLS options without TLS',
      { hostname: 'h', protocol: 'amqp', tls: { key: secret } },
      tlsWithoutAmqps('urls[0]', 'tls (key)'),
    ],
    [
      'TLS options of a memory broker',
      { hostname: 'h', protocol: 'memory', tls: { key: secret } },
      tlsWithoutAmqps('urls[0]', 'tls (key)'),
    ],
    [
      'TLS options as text',
      { hostname: 'h', tls: secret },
      secretRefused('urls[0]: tls', '', 'an object of options for tls.connect'),
    ],
  ])('says what is wrong with an object with %s', (_, options, sentence) => {
    expect(refusal([options]).message).toBe(sentence);
    expect(refusal([options]).message).not.toContain(secret);
  });

  it.each(['host', 'user', 'ssl', 'toString'])('names the unknown option %s', (key) => {
    const { message } = refusal([{ hostname: 'h', [key]: 1 }]);
    expect(message).toMatch(
      new RegExp(`^urls\\[0\\] has no option "${key}"; allowed: protocol, hostname`, 'u'),
    );
  });
});
