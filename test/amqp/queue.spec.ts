import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  argumentConflict,
  deadLetterKeyAlone,
  notOfQueueType,
  overflowOfQuorum,
} from '../../lib/amqp/entity.messages.js';
import { Exchange } from '../../lib/amqp/exchange.js';
import { optionRefused } from '../../lib/option.messages.js';
import { Queue } from '../../lib/amqp/queue.js';
import type { QueueOptions } from '../../lib/amqp/queue-options.js';
import { isConfigurationError } from '../../lib/errors.js';

const refusal = (options: object, name: unknown = 'q'): string => {
  try {
    void new Queue(name as string, options);
  } catch (error) {
    if (isConfigurationError(error)) return error.message;
    throw error;
  }
  throw new Error('it was accepted');
};

const bytes = 'a string of at most 255 bytes in UTF-8';

describe('a queue', () => {
  it('has the defaults of kombu', () => {
    expect(new Queue('q')).toEqual({
      name: 'q',
      exchange: new Exchange(''),
      routingKey: '',
      bindings: [],
      durable: true,
      exclusive: false,
      autoDelete: false,
      noDeclare: false,
      passive: false,
      arguments: {},
      bindingArguments: {},
      consumerArguments: {},
      alias: undefined,
      onDeclared: undefined,
    });
    expect(new Queue().name).toBe('');
  });

  it.each<[QueueOptions, Record<string, unknown>]>([
    [{ type: 'quorum' }, { 'x-queue-type': 'quorum' }],
    [
      { type: 'stream', maxLengthBytes: 9 },
      { 'x-queue-type': 'stream', 'x-max-length-bytes': 9 },
    ],
    [{ expires: 60_000 }, { 'x-expires': 60_000 }],
    [{ messageTtl: 0 }, { 'x-message-ttl': 0 }],
    [{ maxLength: 5 }, { 'x-max-length': 5 }],
    [{ maxLengthBytes: 5 }, { 'x-max-length-bytes': 5 }],
    [{ maxPriority: 10 }, { 'x-max-priority': 10 }],
    [{ overflow: 'reject-publish' }, { 'x-overflow': 'reject-publish' }],
    [
      { type: 'classic', overflow: 'reject-publish-dlx' },
      { 'x-queue-type': 'classic', 'x-overflow': 'reject-publish-dlx' },
    ],
    [{ deadLetterExchange: '' }, { 'x-dead-letter-exchange': '' }],
    [
      { deadLetterExchange: 'd', deadLetterRoutingKey: 'k' },
      { 'x-dead-letter-exchange': 'd', 'x-dead-letter-routing-key': 'k' },
    ],
    [
      { type: 'quorum', deliveryLimit: 3 },
      { 'x-queue-type': 'quorum', 'x-delivery-limit': 3 },
    ],
    [{ singleActiveConsumer: true }, { 'x-single-active-consumer': true }],
    [
      { arguments: { 'x-queue-leader-locator': 'balanced' }, expires: 5 },
      { 'x-queue-leader-locator': 'balanced', 'x-expires': 5 },
    ],
    [{ arguments: { 'x-expires': 5 }, expires: 5 }, { 'x-expires': 5 }],
  ])('with %j is declared with %j', (options, args) => {
    expect(new Queue('q', options).arguments).toEqual(args);
  });

  it('takes a name for an exchange, as kombu does', () => {
    expect(new Queue('q', { exchange: 'x' }).exchange).toEqual(new Exchange('x'));
  });

  it('is deleted with its last consumer if it is exclusive, unless told otherwise', () => {
    expect(new Queue('q', { exclusive: true }).autoDelete).toBe(true);
    expect(new Queue('q', { exclusive: true, autoDelete: false }).autoDelete).toBe(false);
  });

  it('knows its type and dead-letter exchange wherever they were given', () => {
    const args = { 'x-queue-type': 'quorum', 'x-dead-letter-exchange': 'd' };
    expect(new Queue('q', { arguments: args })).toMatchObject({
      type: 'quorum',
      deadLetterExchange: 'd',
    });
    expect(new Queue('q')).toMatchObject({ type: undefined, deadLetterExchange: undefined });
  });

  it('is immutable, and copies what it was given', () => {
    const args = { a: 1 };
    const queue = new Queue('q', {
      arguments: args,
      bindingArguments: args,
      consumerArguments: args,
    });
    args.a = 2;
    for (const part of [queue.arguments, queue.bindingArguments, queue.consumerArguments]) {
      expect(part).toEqual({ a: 1 });
      expect(Object.isFrozen(part)).toBe(true);
    }
    expect(Object.isFrozen(queue) && Object.isFrozen(queue.bindings)).toBe(true);
  });

  it('carries the type of its bodies', () => {
    interface Order {
      id: number;
    }
    const orders = new Queue<Order>('orders');
    expectTypeOf<NonNullable<typeof orders.bodyType>>().toEqualTypeOf<Order>();
    expectTypeOf(orders).toExtend<Queue>();
    expectTypeOf(orders).not.toExtend<Queue<string>>();
    expect('bodyType' in orders).toBe(false);
  });
});

describe('a refused queue', () => {
  const quorum = 'quorum';
  const stream = 'stream';

  it.each<[object, string]>([
    [
      { type: 'mirrored' },
      optionRefused('queue "q": type', 'mirrored', "'classic' | 'quorum' | 'stream'"),
    ],
    [
      { expires: 0 },
      optionRefused(
        'queue "q": expires',
        0,
        'a whole number of milliseconds from 1 to 315360000000',
      ),
    ],
    [
      { messageTtl: -1 },
      optionRefused(
        'queue "q": messageTtl',
        -1,
        'a whole number of milliseconds from 0 to 315360000000',
      ),
    ],
    [
      { messageTtl: 0.5 },
      optionRefused(
        'queue "q": messageTtl',
        0.5,
        'a whole number of milliseconds from 0 to 315360000000',
      ),
    ],
    [
      { messageTtl: Infinity },
      optionRefused(
        'queue "q": messageTtl',
        Infinity,
        'a whole number of milliseconds from 0 to 315360000000',
      ),
    ],
    [{ maxLength: -1 }, optionRefused('queue "q": maxLength', -1, 'a whole number, 0 or more')],
    [
      { maxLengthBytes: NaN },
      optionRefused('queue "q": maxLengthBytes', NaN, 'a whole number, 0 or more'),
    ],
    [
      { maxPriority: 256 },
      optionRefused('queue "q": maxPriority', 256, 'a whole number from 1 to 255'),
    ],
    [
      { deliveryLimit: '3' },
      optionRefused('queue "q": deliveryLimit', '3', 'a whole number, 0 or more'),
    ],
    [
      { overflow: 'drop' },
      optionRefused(
        'queue "q": overflow',
        'drop',
        "'drop-head' | 'reject-publish' | 'reject-publish-dlx'",
      ),
    ],
    [{ exchange: 7 }, optionRefused('queue "q": exchange', 7, 'an Exchange or its name')],
    [
      { routingKey: 'k'.repeat(256) },
      optionRefused('queue "q": routingKey', 'k'.repeat(256), bytes),
    ],
    [{ bindings: [{}] }, optionRefused('queue "q": bindings', [], 'a list of bindings')],
    [{ durable: 1 }, optionRefused('queue "q": durable', 1, 'true or false')],
    [{ onDeclared: 'f' }, optionRefused('queue "q": onDeclared', 'f', 'a function')],
    [
      { consumerArguments: null },
      optionRefused('queue "q": consumerArguments', null, 'an object of keys and values'),
    ],
    [
      { expires: 5, arguments: { 'x-expires': 6 } },
      argumentConflict('queue "q"', 'expires', 'x-expires'),
    ],
    [
      { type: quorum, arguments: { 'x-queue-type': 'classic' } },
      argumentConflict('queue "q"', 'type', 'x-queue-type'),
    ],
    [{ deadLetterRoutingKey: 'k' }, deadLetterKeyAlone('queue "q"')],
    [
      { type: 'classic', deliveryLimit: 3 },
      notOfQueueType('queue "q"', 'classic', 'deliveryLimit'),
    ],
    [{ type: quorum, durable: false }, notOfQueueType('queue "q"', quorum, 'durable: false')],
    [{ type: quorum, exclusive: true }, notOfQueueType('queue "q"', quorum, 'exclusive: true')],
    [{ type: quorum, autoDelete: true }, notOfQueueType('queue "q"', quorum, 'autoDelete: true')],
    [{ type: quorum, maxPriority: 5 }, notOfQueueType('queue "q"', quorum, 'maxPriority')],
    [{ type: quorum, overflow: 'reject-publish-dlx' }, overflowOfQuorum('queue "q"')],
    [
      { arguments: { 'x-queue-type': 'quorum', 'x-max-priority': 5 } },
      notOfQueueType('queue "q"', quorum, 'maxPriority'),
    ],
    [{ type: stream, durable: false }, notOfQueueType('queue "q"', stream, 'durable: false')],
    [{ type: stream, exclusive: true }, notOfQueueType('queue "q"', stream, 'exclusive: true')],
    [{ type: stream, autoDelete: true }, notOfQueueType('queue "q"', stream, 'autoDelete: true')],
    [{ type: stream, expires: 5 }, notOfQueueType('queue "q"', stream, 'expires')],
    [{ type: stream, messageTtl: 5 }, notOfQueueType('queue "q"', stream, 'messageTtl')],
    [{ type: stream, maxLength: 5 }, notOfQueueType('queue "q"', stream, 'maxLength')],
    [{ type: stream, maxPriority: 5 }, notOfQueueType('queue "q"', stream, 'maxPriority')],
    [{ type: stream, overflow: 'drop-head' }, notOfQueueType('queue "q"', stream, 'overflow')],
    [
      { type: stream, deadLetterExchange: 'd' },
      notOfQueueType('queue "q"', stream, 'deadLetterExchange'),
    ],
    [{ type: stream, deliveryLimit: 5 }, notOfQueueType('queue "q"', stream, 'deliveryLimit')],
    [
      { type: stream, singleActiveConsumer: true },
      notOfQueueType('queue "q"', stream, 'singleActiveConsumer'),
    ],
  ])('with %j says why', (options, sentence) => {
    expect(refusal(options)).toBe(sentence);
  });

  it.each<[unknown, object, string]>([
    ['n'.repeat(256), {}, optionRefused('the name of a queue', 'n'.repeat(256), bytes)],
    [7, {}, optionRefused('the name of a queue', 7, bytes)],
    ['', { type: quorum }, notOfQueueType('queue ""', quorum, 'a name given by the server')],
    ['', { type: stream }, notOfQueueType('queue ""', stream, 'a name given by the server')],
  ])('named %j with %j says why', (name, options, sentence) => {
    expect(refusal(options, name)).toBe(sentence);
  });

  it.each(['noAck', 'queueArguments', 'ttl', 'constructor'])(
    'names the unknown option %s',
    (key) => {
      expect(refusal({ [key]: true })).toMatch(
        `queue "q" has no option "${key}"; allowed: type, exchange`,
      );
    },
  );

  it('escapes a name that would forge a log line', () => {
    expect(refusal({ ttl: 1 }, 'a\nb')).toMatch('queue "a\\u000ab" has no option "ttl"');
  });
});
