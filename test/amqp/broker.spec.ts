import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Broker } from '../../lib/amqp/broker.js';
import { passwordNotAtHand, passwordOfWrongType } from '../../lib/amqp/broker.messages.js';
import { parseBrokers } from '../../lib/amqp/broker-address.js';
import type { BrokerInput } from '../../lib/amqp/broker-address.js';

const secret = 's3cr3t-p4ss';

const one = (given: BrokerInput): Broker => parseBrokers([given])[0]!;

describe('what a broker prints', () => {
  const broker = one({
    hostname: 'host',
    protocol: 'amqps',
    username: 'user',
    password: secret,
    tls: { passphrase: secret, key: secret },
  });

  it.each<[string, (broker: Broker) => string]>([
    ['toString', String],
    ['a template', (given) => `to ${given.toString()}`],
    ['JSON', (given) => JSON.stringify({ broker: given })],
    ['util.inspect', (given) => inspect(given)],
    [
      'util.inspect with everything on',
      (given) => inspect(given, { showHidden: true, getters: true, depth: 9 }),
    ],
    [
      'util.inspect without custom functions',
      (given) => inspect(given, { customInspect: false, showHidden: true, depth: 9 }),
    ],
    ['util.inspect in an object', (given) => inspect({ deep: { er: given } }, { depth: 9 })],
    [
      'its enumerable properties',
      (given) => JSON.stringify(Object.fromEntries(Object.entries(given))),
    ],
    ['its TLS options', (given) => inspect(given.tls)],
    ['its TLS options as JSON', (given) => JSON.stringify(given.tls)],
  ])('shows no secret in %s', (_, print) => {
    expect(print(broker)).not.toContain(secret);
    expect(print(broker)).not.toBe('');
  });

  it('masks the password as kombu does, also the default one', () => {
    expect(broker.asUri()).toBe('amqps://user:**@host:5671/%2F');
    expect(one('amqp://').asUri()).toBe('amqp://guest:**@localhost:5672/%2F');
    expect(broker.asUri({ mask: 'xxx' })).toBe('amqps://user:xxx@host:5671/%2F');
    expect(broker.asUri({ mask: '' })).toBe('amqps://user@host:5671/%2F');
  });

  it('is immutable', () => {
    expect(Object.isFrozen(broker)).toBe(true);
    expect(Object.isFrozen(broker.tls)).toBe(true);
  });

  it('still gives its TLS options to whoever spreads them', () => {
    expect({ ...broker.tls }).toEqual({ passphrase: secret, key: secret });
  });
});

describe('asUri with the password', () => {
  it.each([
    'amqp://us%C3%A9r:p%40ss%2F%23%3A%3B%3F@host:5673/v%2Fh',
    'amqps://user:@[::1]:5671/%2F',
    'amqp://u:p@[fe80::1%25eth0]:5672/x',
  ])('reads back the same from %s', (url) => {
    const broker = one(url);
    expect(broker.asUri({ includePassword: true })).toBe(url.replace('user:@', 'user@'));
    expect(one(broker.asUri({ includePassword: true })).equals(broker)).toBe(true);
  });

  it('is refused when the password comes from a function', () => {
    const broker = one({ hostname: 'h', password: () => secret });
    expect(() => broker.asUri({ includePassword: true })).toThrow(
      passwordNotAtHand('amqp://guest:**@h:5672/%2F'),
    );
  });
});

describe('credentials', () => {
  it.each<[string, string | (() => string | Promise<string>)]>([
    ['a string', secret],
    ['a function', () => secret],
    ['an async function', () => Promise.resolve(secret)],
  ])('come from %s', async (_, password) => {
    const broker = one({ hostname: 'h', username: 'user', password });
    await expect(broker.credentials()).resolves.toEqual({ username: 'user', password: secret });
  });

  it('are asked for at each dial', async () => {
    const passwords = ['first', 'second'];
    const broker = one({ hostname: 'h', password: () => passwords.shift() ?? '' });
    expect((await broker.credentials()).password).toBe('first');
    expect((await broker.credentials()).password).toBe('second');
  });

  it.each([
    [undefined, 'undefined'],
    [7, 'number'],
    [`${secret}\0`, 'string'],
  ])('are refused when the function gives no usable string', async (value, type) => {
    const broker = one({ hostname: 'h', password: () => value as string });
    const uri = 'amqp://guest:**@h:5672/%2F';
    await expect(broker.credentials()).rejects.toThrow(passwordOfWrongType(uri, type));
  });

  it('pass on what the function throws', async () => {
    const failure = new Error('vault is sealed');
    const broker = one({ hostname: 'h', password: () => Promise.reject(failure) });
    await expect(broker.credentials()).rejects.toBe(failure);
  });
});

describe('a broker', () => {
  it.each([
    ['amqp://', true],
    ['amqp://guest:guest@elsewhere', true],
    ['amqp://guest:other@h', false],
    ['amqp://user:guest@h', false],
  ])('knows whether %s uses the default credentials', (url, expected) => {
    expect(one(url).usesDefaultCredentials).toBe(expected);
  });

  it('knows whether TLS verification is off', () => {
    expect(one('amqps://h').skipsVerification).toBe(false);
    expect(one('amqps://h?verify=verify_none').skipsVerification).toBe(true);
  });

  it.each([
    ['amqp://user:a@h', 'amqp://user:b@H:5672/', true],
    ['amqp://user:a@h', 'amqps://user:a@h:5672', false],
    ['amqp://user:a@h', 'amqp://user:a@g', false],
    ['amqp://user:a@h', 'amqp://user:a@h:5673', false],
    ['amqp://user:a@h', 'amqp://user:a@h/v', false],
    ['amqp://user:a@h', 'amqp://resu:a@h', false],
  ])('compares %s with %s by address', (a, b, same) => {
    expect(one(a).equals(one(b))).toBe(same);
  });
});
