import { describe, expect, it } from 'vitest';
import { Queue } from '../../lib/amqp/queue.js';
import type { PublishError } from '../../lib/errors.js';
import { isConfigurationError } from '../../lib/errors.js';
import type { PublishOptions } from '../../lib/failover/publish-options.js';
import { publishingSetting } from './fakes/publishing.js';

const circular: Record<string, unknown> = { name: 'me' };
circular['self'] = { again: circular };

const refused: [string, string, unknown, PublishOptions][] = [
  ['a circular body', '"self.again"', circular, {}],
  ['a body with a bigint', '"lines[1].price"', { lines: [{}, { price: 1n }] }, {}],
  ['no body', 'undefined', undefined, {}],
  ['a function as its body', 'function', () => undefined, {}],
  ['a Map as its body', 'Map', new Map([[1, 2]]), {}],
  ['a Set as its body', 'Set', new Set([1]), {}],
  ['a body with a Map deep inside', '"lines[1].tags"', { lines: [{}, { tags: new Map() }] }, {}],
  ['a body with a Set', '"tags"', { tags: new Set([1]) }, {}],
  ['a body with a promise', '"total"', { total: Promise.resolve(1) }, {}],
  ['a promise as its body', 'Promise', Promise.resolve(1), {}],
  ['a body with a WeakMap', '"seen"', { seen: new WeakMap() }, {}],
  ['a text that is none', 'object', {}, { serializer: 'text' }],
  ['raw bytes that are none', 'string', 'x', { serializer: 'raw' }],
  ['a bigint in a header', '"big"', 1, { headers: { big: 1n } }],
  ['a Date in a header', '"at"', 1, { headers: { at: new Date() } }],
  ['a Map in a header', '"trace.tags"', 1, { headers: { trace: { tags: new Map() } } }],
  ['a circular header', '"self.again', 1, { headers: circular }],
  ['a header key that is too long', '"kkk', 1, { headers: { ['k'.repeat(256)]: 1 } }],
  ['headers past 64 KiB', '"large"', 1, { headers: { small: 'x', large: 'x'.repeat(65_500) } }],
];

describe('a publish that cannot be encoded', () => {
  it.each(refused)('for %s is not sent, and says %s', async (_, key, body, options) => {
    const setting = publishingSetting();
    const error = await setting.producer
      .publish(body, { messageId: 'm', ...options })
      .catch((reason: PublishError) => reason);
    expect(error).toMatchObject({
      name: 'PublishError',
      outcome: 'not-sent',
      messageId: 'm',
      cause: { name: 'SerializationError' },
    });
    expect((error as Error).message).toContain(key);
    expect(setting.transport.dials).toEqual([]);
  });

  it('because amqplib says so is not sent either, and disturbs no other', async () => {
    const setting = publishingSetting();
    const first = setting.publish('1');
    await setting.settle();
    setting.channel.refuseToEncode('Unknown type to encode: bogus');
    const refusal = setting.publish('2');
    await setting.settle();
    setting.channel.throws = undefined;
    const third = setting.publish('3');
    await setting.settle();
    setting.channel.ack(2, true);
    await setting.settle();
    expect(refusal.error).toMatchObject({ outcome: 'not-sent' });
    expect((refusal.error as Error).message).toContain('bogus');
    expect([first.outcome, third.outcome, setting.channels.length]).toEqual([
      'resolved',
      'resolved',
      1,
    ]);
  });

  it('whose body is larger than allowed is not sent', async () => {
    const setting = publishingSetting({ producer: { maxMessageSize: 100 } });
    const error = await setting.producer
      .publish(Buffer.alloc(101))
      .catch((reason: PublishError) => reason);
    expect(error).toMatchObject({ outcome: 'not-sent' });
    expect((error as Error).message).toContain('101 bytes');
  });

  it('whose headers do not fit into a frame of this connection is not sent, but others are', async () => {
    const setting = publishingSetting({
      connection: { urls: 'amqp://a?frameMax=4096' },
    });
    const large = setting.publish('1', { headers: { h: 'x'.repeat(4_096) } });
    const small = setting.publish('2', { headers: { h: 'x'.repeat(2_000) } });
    await setting.settle();
    setting.channel.ack(1);
    await setting.settle();
    expect(large.error).toMatchObject({ outcome: 'not-sent' });
    expect((large.error as Error).message).toContain('4096');
    expect(small.outcome).toBe('resolved');
  });
});

describe('an option of a publish', () => {
  it.each<[string, PublishOptions]>([
    ['exchange', { exchange: {} as never }],
    ['declare', { declare: [{}] as never }],
    ['declare', { declare: 5 as never }],
    ['replyTo', { replyTo: {} as never }],
    ['routingKey', { routingKey: 'x'.repeat(256) }],
    ['priority', { priority: 256 }],
    ['timeout', { timeout: 0 }],
    ['mandatry', { mandatry: true } as never],
    ['serializer', { serializer: 'yaml' }],
  ])('%s that is wrong is refused by its name', async (option, options) => {
    const setting = publishingSetting();
    await expect(setting.producer.publish(1, options)).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining(option === 'serializer' ? 'yaml' : option),
    });
  });
});

describe('an option of a publish that makes no sense', () => {
  it.each<[string, PublishOptions]>([
    ['headers', { headers: new Map() as never }],
    ['headers', { headers: [1] as never }],
    ['expiration', { expiration: 315_360_000_001 }],
    ['expiration', { expiration: Number.NaN }],
    ['replyTo', { replyTo: new Queue('') }],
  ])('is refused by name: %s', async (name, options) => {
    const setting = publishingSetting();
    const refusal = setting.producer.publish(1, options);
    await expect(refusal).rejects.toSatisfy(isConfigurationError);
    await expect(refusal).rejects.toThrow(`publish: ${name}`);
  });
});
