import { describe, expect, it, vi } from 'vitest';
import { declareExchange, declareQueue } from '../../lib/amqp/declare.js';
import { notDeclared } from '../../lib/amqp/entity.messages.js';
import { Exchange } from '../../lib/amqp/exchange.js';
import type { ExchangeOptions } from '../../lib/amqp/exchange.js';
import { Queue } from '../../lib/amqp/queue.js';
import type { OnDeclared, QueueOptions } from '../../lib/amqp/queue-options.js';
import { AmqpError, TopologyError } from '../../lib/errors.js';
import { recordingChannel } from './recording-channel.js';
import type { Call } from './recording-channel.js';

const exchangeOptions = { durable: true, autoDelete: false, internal: false, arguments: {} };
const queueOptions = { durable: true, exclusive: false, autoDelete: false, arguments: {} };
const assertExchange = (name: string, type = 'direct'): Call => [
  'assertExchange',
  name,
  type,
  exchangeOptions,
];

const bindQueue = (queue: string, exchange: string, key = '', args = {}): Call => [
  'bindQueue',
  queue,
  exchange,
  key,
  args,
];

describe('declaring an exchange', () => {
  const source = new Exchange('source', { type: 'topic' });

  it.each<[string, string, ExchangeOptions, Call[]]>([
    ['asserts it', 'x', { type: 'fanout' }, [assertExchange('x', 'fanout')]],
    [
      'passes all options on',
      'x',
      { durable: false, autoDelete: true, internal: true, alternateExchange: 'a' },
      [
        [
          'assertExchange',
          'x',
          'direct',
          {
            durable: false,
            autoDelete: true,
            internal: true,
            arguments: { 'alternate-exchange': 'a' },
          },
        ],
      ],
    ],
    ['only checks a passive one', 'x', { passive: true }, [['checkExchange', 'x']]],
    ['leaves a noDeclare one alone', 'x', { noDeclare: true, bindings: [source.binding('k')] }, []],
    ['leaves the default exchange alone', '', {}, []],
    ['leaves amq.topic alone', 'amq.topic', { type: 'topic' }, []],
    [
      'declares what it is bound to, and binds',
      'x',
      { bindings: [source.binding('k', { a: 1 })] },
      [
        assertExchange('x'),
        assertExchange('source', 'topic'),
        ['bindExchange', 'x', 'source', 'k', { a: 1 }],
      ],
    ],
    [
      'binds amq.topic',
      'amq.topic',
      { bindings: [source.binding('k')] },
      [assertExchange('source', 'topic'), ['bindExchange', 'amq.topic', 'source', 'k', {}]],
    ],
  ])('%s', async (_, name, options, expected) => {
    const { channel, calls } = recordingChannel();
    await declareExchange(channel, new Exchange(name, options));
    expect(calls).toEqual(expected);
  });
});

describe('declaring a queue', () => {
  const other = new Exchange('other');

  it.each<[string, string, QueueOptions, string, Call[]]>([
    ['asserts it, bound to nothing', 'q', {}, 'q', [['assertQueue', 'q', queueOptions]]],
    [
      'passes all options on',
      'q',
      { durable: false, exclusive: true, expires: 5 },
      'q',
      [
        [
          'assertQueue',
          'q',
          { durable: false, exclusive: true, autoDelete: true, arguments: { 'x-expires': 5 } },
        ],
      ],
    ],
    [
      'goes exchange, queue, binding, further bindings',
      'q',
      {
        exchange: 'x',
        routingKey: 'k',
        bindingArguments: { a: 1 },
        bindings: [other.binding('l'), other.binding('m', { b: 1 })],
      },
      'q',
      [
        assertExchange('x'),
        ['assertQueue', 'q', queueOptions],
        bindQueue('q', 'x', 'k', { a: 1 }),
        assertExchange('other'),
        bindQueue('q', 'other', 'l'),
        assertExchange('other'),
        bindQueue('q', 'other', 'm', { b: 1 }),
      ],
    ],
    [
      'binds a server-named one under its new name',
      '',
      { exchange: 'x', bindings: [other.binding()] },
      'amq.gen-1',
      [
        assertExchange('x'),
        ['assertQueue', '', queueOptions],
        bindQueue('amq.gen-1', 'x'),
        assertExchange('other'),
        bindQueue('amq.gen-1', 'other'),
      ],
    ],
    [
      'binds to amq.topic without declaring that',
      'q',
      { exchange: new Exchange('amq.topic', { type: 'topic' }), routingKey: '#' },
      'q',
      [['assertQueue', 'q', queueOptions], bindQueue('q', 'amq.topic', '#')],
    ],
    [
      'binds to a noDeclare exchange',
      'q',
      { exchange: new Exchange('x', { noDeclare: true }) },
      'q',
      [['assertQueue', 'q', queueOptions], bindQueue('q', 'x')],
    ],
    [
      'checks a passive one, and binds',
      'q',
      { passive: true, exchange: 'x' },
      'q',
      [assertExchange('x'), ['checkQueue', 'q'], bindQueue('q', 'x')],
    ],
    [
      'leaves a noDeclare one alone',
      'q',
      { noDeclare: true, exchange: 'x', bindings: [other.binding()] },
      'q',
      [],
    ],
    [
      'binds but does not declare amq.*',
      'amq.gen-7',
      { exchange: 'x' },
      'amq.gen-7',
      [assertExchange('x'), bindQueue('amq.gen-7', 'x')],
    ],
  ])('%s', async (_, name, options, declared, expected) => {
    const { channel, calls } = recordingChannel();
    await expect(declareQueue(channel, new Queue(name, options))).resolves.toBe(declared);
    expect(calls).toEqual(expected);
  });

  it('tells onDeclared its name and counts when all is bound', async () => {
    const { channel, calls } = recordingChannel();
    const onDeclared = vi.fn<OnDeclared>(() => expect(calls.at(-1)?.[0]).toBe('bindQueue'));
    await declareQueue(channel, new Queue('', { exchange: 'x', onDeclared }));
    expect(onDeclared.mock.calls).toEqual([['amq.gen-1', 3, 2]]);
  });
});

describe('a declaration that fails', () => {
  const connection = {};
  const closed = (
    code: number | undefined,
    scope: 'channel' | 'connection' | 'operation' = 'channel',
  ) => new AmqpError('PRECONDITION_FAILED\n- amqp://u:s3cr3t-p4ss@h', { scope, code, connection });
  const queue = new Queue('q', {
    exchange: 'x',
    routingKey: 'k',
    bindings: [new Exchange('y').binding()],
  });

  const failure = async (failOn: Record<string, Error>): Promise<unknown> => {
    const { channel } = recordingChannel(failOn);
    return declareQueue(channel, queue).then(
      () => undefined,
      (error: unknown) => error,
    );
  };

  it.each([
    ['assertExchange', 'exchange "x"'],
    ['assertQueue', 'queue "q"'],
    ['bindQueue', 'binding of queue "q" to exchange "x" with routing key "k"'],
  ])('in %s names the %s', async (method, entity) => {
    const cause = closed(406);
    const error = await failure({ [method]: cause });
    expect(error).toBeInstanceOf(TopologyError);
    expect(error).toMatchObject({ entity, code: 406, cause });
    expect((error as Error).message).toBe(notDeclared(entity, cause.message, 406));
  });

  it.each([403, 404, 405, 406])('with %i says what to do', async (code) => {
    const { message } = (await failure({ assertQueue: closed(code) })) as Error;
    expect(message).toMatch(
      /^queue "q" could not be declared: PRECONDITION_FAILED\\u000a- amqp:\/\/u:\*\*@h\. \w/u,
    );
  });

  it('without an answer names the entity too', async () => {
    expect(await failure({ assertQueue: closed(undefined, 'operation') })).toMatchObject({
      entity: 'queue "q"',
      code: undefined,
    });
  });

  it('is no matter of topology when the connection was lost', async () => {
    const loss = closed(320, 'connection');
    expect(await failure({ bindQueue: loss })).toBe(loss);
  });

  it('keeps an error that is not of the broker as its cause', async () => {
    const cause = new RangeError('arguments too large');
    expect(await failure({ assertQueue: cause })).toMatchObject({ entity: 'queue "q"', cause });
  });

  it('passes on as it is what onDeclared throws', async () => {
    const own = new Error('mine');
    const { channel } = recordingChannel();
    const throwing = new Queue('q', {
      onDeclared: () => {
        throw own;
      },
    });
    await expect(declareQueue(channel, throwing)).rejects.toBe(own);
  });
});
