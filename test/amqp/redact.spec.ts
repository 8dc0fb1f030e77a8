import { describe, expect, it } from 'vitest';
import { maskedUrl, redact } from '../../lib/amqp/redact.js';

const secret = 's3cr3t-p4ss';

describe('redact', () => {
  it.each([
    [`amqp://user:${secret}@host:5672/v`, 'amqp://user:**@host:5672/v'],
    [`cannot reach amqps://user:${secret}@host now`, 'cannot reach amqps://user:**@host now'],
    [`amqp://a:${secret}@h1;amqp://b:${secret}@h2`, 'amqp://a:**@h1;amqp://b:**@h2'],
    [`user:${secret}@host`, 'user:**@host'],
    [`amqp://user:${secret}@x@host`, 'amqp://user:**@host'],
    [`amqp://user:${secret}/x@host`, 'amqp://user:**@host'],
    [
      `amqps://host?password=${secret}&verify=verify_peer`,
      'amqps://host?password=**&verify=verify_peer',
    ],
    ['amqp://host:5672/vhost', 'amqp://host:5672/vhost'],
    ['nothing to mask at 10:30', 'nothing to mask at 10:30'],
  ])('masks the password of %j', (text, masked) => {
    expect(redact(text)).toBe(masked);
  });

  it('takes time linear in the length of the text', () => {
    const text = 'a:'.repeat(500_000);
    const started = performance.now();
    redact(text);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('maskedUrl', () => {
  it.each([
    ['amqp://host:5672/v?heartbeat=5', 'amqp://host:5672/v'],
    ['host', 'host'],
    ['amqp://[::1]:5672', 'amqp://[::1]:5672'],
    [`amqp://user:${secret}@host/v`, 'amqp://user:**@host/v'],
    [`user:${secret}@host`, 'user:**@host'],
    [`amqp://user:${secret}`, 'amqp://user:**'],
    [`amqp://user:${secret}/vhost`, 'amqp://user:**'],
    [`amqp://user:${secret}?heartbeat=1`, 'amqp://user:**'],
    [`amqp://user:a#${secret}@host`, 'amqp://user:**@host'],
    [`amqp://user:a@${secret}@host`, 'amqp://user:**@host'],
    [`amqp://user@${secret}@host`, 'amqp://user:**@host'],
  ])('shows of %j what is no secret', (url, masked) => {
    expect(maskedUrl(url)).toBe(masked);
  });
});
