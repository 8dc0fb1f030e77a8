import { describe, expect, it } from 'vitest';
import { parseBrokers } from '../../lib/amqp/broker-address.js';

const parsed = async (url: string) => {
  const broker = parseBrokers(url)[0]!;
  const { protocol, hostname, port, vhost } = broker;
  const { username, password } = await broker.credentials();
  return { protocol, username, password, hostname, port, vhost };
};

const defaults = {
  protocol: 'amqp',
  username: 'guest',
  password: 'guest',
  hostname: 'localhost',
  port: 5672,
  vhost: '/',
};

describe("the table of RabbitMQ's URI specification", () => {
  it.each([
    [
      'amqp://user:pass@host:10000/vhost',
      { username: 'user', password: 'pass', hostname: 'host', port: 10000, vhost: 'vhost' },
    ],
    [
      'amqp://user%61:%61pass@ho%61st:10000/v%2fhost',
      { username: 'usera', password: 'apass', hostname: 'hoast', port: 10000, vhost: 'v/host' },
    ],
    ['amqp://', {}],
    ['amqp://:@/', { username: '', password: '' }],
    ['amqp://user@', { username: 'user', password: '' }],
    ['amqp://user:pass@', { username: 'user', password: 'pass' }],
    ['amqp://host', { hostname: 'host' }],
    ['amqp://:10000', { port: 10000 }],
    ['amqp:///vhost', { vhost: 'vhost' }],
    ['amqp://host/', { hostname: 'host', vhost: '/' }],
    ['amqp://host/%2f', { hostname: 'host', vhost: '/' }],
    ['amqp://[::1]', { hostname: '::1' }],
  ])('%s', async (url, expected) => {
    await expect(parsed(url)).resolves.toEqual({ ...defaults, ...expected });
  });
});

describe('a broker URL', () => {
  it.each([
    ['amqps://host', { protocol: 'amqps', hostname: 'host', port: 5671 }],
    ['AMQP://Host', { hostname: 'host' }],
    ['amqp://user@host', { username: 'user', password: '', hostname: 'host' }],
    ['amqp://user:@host', { username: 'user', password: '', hostname: 'host' }],
    ['amqp://guest@host', { hostname: 'host' }],
    ['amqp://u:p:q@host', { username: 'u', password: 'p:q', hostname: 'host' }],
    ['amqp://us%C3%A4r:p%C3%A4ss@host', { username: 'usär', password: 'päss', hostname: 'host' }],
    ['amqp://u:%23%2F%40%3F%25+@host', { username: 'u', password: '#/@?%+', hostname: 'host' }],
    ['amqp://host/my/vhost', { hostname: 'host', vhost: 'my/vhost' }],
    ['amqp://host//foo', { hostname: 'host', vhost: '/foo' }],
    ['amqp://host/caf%C3%A9', { hostname: 'host', vhost: 'café' }],
    ['amqp://[2001:DB8::1]:5673/v', { hostname: '2001:db8::1', port: 5673, vhost: 'v' }],
    ['amqp://[fe80::1%25eth0]', { hostname: 'fe80::1%eth0' }],
    ['amqp://rabbit_1.svc-a', { hostname: 'rabbit_1.svc-a' }],
    ['amqp://bücher.example', { hostname: 'xn--bcher-kva.example' }],
    ['amqp://10.0.0.7', { hostname: '10.0.0.7' }],
    ['memory://orders', { protocol: 'memory', hostname: 'orders', port: 0 }],
    ['memory://orders/v', { protocol: 'memory', hostname: 'orders', port: 0, vhost: 'v' }],
    ['rabbit-1', { hostname: 'rabbit-1' }],
    ['rabbit-1:5673/v', { hostname: 'rabbit-1', port: 5673, vhost: 'v' }],
    ['u:p@rabbit-1', { username: 'u', password: 'p', hostname: 'rabbit-1' }],
    ['  amqp://host  ', { hostname: 'host' }],
  ])('reads %s', async (url, expected) => {
    await expect(parsed(url)).resolves.toEqual({ ...defaults, ...expected });
  });
});
