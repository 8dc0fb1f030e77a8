import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseBrokers } from '../../lib/amqp/broker-address.js';
import {
  heartbeatOff,
  repeatedQueryKey,
  tlsWithoutAmqps,
  unknownQueryKey,
  unreadableFile,
} from '../../lib/amqp/broker.messages.js';
import { optionRefused } from '../../lib/option.messages.js';
import { isConfigurationError } from '../../lib/errors.js';

const one = (url: string) => parseBrokers(url)[0]!;
const entry = 'urls[0] (amqp://h)';

describe('the query of a broker URL', () => {
  it.each([
    ['heartbeat=5', { heartbeat: 5000 }],
    ['connection_timeout=10000', { connectTimeout: 10_000 }],
    ['channel_max=100', { channelMax: 100 }],
    ['channelMax=100', { channelMax: 100 }],
    ['frame_max=8192', { frameMax: 8192 }],
    ['frameMax=8192', { frameMax: 8192 }],
    ['auth_mechanism=external', { authMechanism: 'external' }],
    ['auth_mechanism=PLAIN', { authMechanism: 'plain' }],
    ['heartbeat=5&connection_timeout=100', { heartbeat: 5000, connectTimeout: 100 }],
    ['', { heartbeat: undefined, connectTimeout: undefined, authMechanism: 'plain' }],
  ])('reads %s', (query, expected) => {
    expect(one(`amqp://h?${query}`)).toMatchObject(expected);
    expect(one(`amqp://h/v?${query}`)).toMatchObject({ ...expected, vhost: 'v' });
  });

  it('reads the files of TLS at construction', () => {
    const folder = mkdtempSync(join(tmpdir(), 'broker query '));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    for (const name of ['ca', 'cert', 'key']) writeFileSync(join(folder, name), name);
    const file = (name: string) => encodeURIComponent(join(folder, name));
    const broker = one(
      `amqps://h?cacertfile=${file('ca')}&certfile=${file('cert')}&keyfile=${file('key')}` +
        '&password=s3cr3t%2Dp4ss&verify=verify_peer&server_name_indication=name',
    );
    expect({ ...broker.tls }).toEqual({
      ca: Buffer.from('ca'),
      cert: Buffer.from('cert'),
      key: Buffer.from('key'),
      passphrase: 's3cr3t-p4ss',
      rejectUnauthorized: true,
      servername: 'name',
    });
  });

  it('names a file that is missing', () => {
    expect(() => one('amqps://h?cacertfile=/no/such/ca.pem')).toThrow(
      unreadableFile('urls[0] (amqps://h): cacertfile', '/no/such/ca.pem', 'ENOENT'),
    );
  });

  it.each([
    ['heartbeat=0', heartbeatOff(`${entry}: heartbeat`)],
    [
      'heartbeat=-1',
      optionRefused(`${entry}: heartbeat`, '-1', 'a whole number of seconds from 1 to 65535'),
    ],
    [
      'heartbeat=0.5',
      optionRefused(`${entry}: heartbeat`, '0.5', 'a whole number of seconds from 1 to 65535'),
    ],
    [
      'heartbeat=',
      optionRefused(`${entry}: heartbeat`, '', 'a whole number of seconds from 1 to 65535'),
    ],
    [
      'heartbeat=1e3',
      optionRefused(`${entry}: heartbeat`, '1e3', 'a whole number of seconds from 1 to 65535'),
    ],
    [
      'connection_timeout=0',
      optionRefused(
        `${entry}: connection_timeout`,
        '0',
        'a whole number of milliseconds from 1 to 2147483647',
      ),
    ],
    [
      'channel_max=0',
      optionRefused(`${entry}: channel_max`, '0', 'a whole number from 1 to 65535'),
    ],
    [
      'channel_max=70000',
      optionRefused(`${entry}: channel_max`, '70000', 'a whole number from 1 to 65535'),
    ],
    [
      'frame_max=100',
      optionRefused(
        `${entry}: frame_max`,
        '100',
        'a whole number of bytes from 4096 to 4294967295',
      ),
    ],
    [
      'auth_mechanism=amqplain',
      optionRefused(`${entry}: auth_mechanism`, 'amqplain', "'plain' | 'external'"),
    ],
    ['verify=maybe', optionRefused(`${entry}: verify`, 'maybe', "'verify_peer' | 'verify_none'")],
    ['verify=verify_none', tlsWithoutAmqps(entry, 'tls (rejectUnauthorized)')],
    ['heartbeat=5&heartbeat=6', repeatedQueryKey(entry, 'heartbeat')],
    ['channel_max=5&channelMax=6', repeatedQueryKey(entry, 'channelMax')],
  ])('refuses %s', (query, sentence) => {
    expect(() => one(`amqp://h?${query}`)).toThrow(sentence);
  });

  it.each(['connect_timeout', 'ssl', 'toString', '__proto__', 'Heartbeat'])(
    'refuses the unknown parameter %s by its name',
    (key) => {
      const known = 'heartbeat, connection_timeout';
      expect(() => one(`amqp://h?${key}=1`)).toThrow(unknownQueryKey(entry, key, [known]));
      let error: unknown;
      try {
        one(`amqp://h?${key}=1`);
      } catch (thrown) {
        error = thrown;
      }
      expect(isConfigurationError(error)).toBe(true);
    },
  );
});
