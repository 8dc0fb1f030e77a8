import { describe, expect, it } from 'vitest';
import { canCacheDeclaration, declarationKey } from '../../lib/amqp/declaration-key.js';
import { Exchange } from '../../lib/amqp/exchange.js';
import type { ExchangeOptions } from '../../lib/amqp/exchange.js';
import { Queue } from '../../lib/amqp/queue.js';
import type { QueueOptions } from '../../lib/amqp/queue-options.js';

const x = new Exchange('x');

describe('the declaration key', () => {
  it('does not depend on the order of arguments', () => {
    const one = new Queue('q', { arguments: { a: 1, b: { c: 1, d: 2 } } });
    const other = new Queue('q', { arguments: { b: { d: 2, c: 1 }, a: 1 } });
    expect(declarationKey(one)).toBe(declarationKey(other));
  });

  it('does not depend on what only this process knows', () => {
    const local = { alias: 'a', onDeclared: () => undefined, consumerArguments: { a: 1 } };
    expect(declarationKey(new Queue('q', local))).toBe(declarationKey(new Queue('q')));
    const publishing: ExchangeOptions = { mandatory: false, deliveryMode: 1 };
    expect(declarationKey(new Exchange('x', publishing))).toBe(declarationKey(x));
  });

  const queues: QueueOptions[] = [
    {},
    { durable: false },
    { exclusive: true },
    { autoDelete: true },
    { passive: true },
    { noDeclare: true },
    { arguments: { a: 1 } },
    { arguments: { a: '1' } },
    { arguments: { a: 1n } },
    { arguments: { a: true } },
    { arguments: { a: null } },
    { arguments: { a: [1] } },
    { arguments: { a: Buffer.from('1') } },
    { arguments: { a: new Date(1) } },
    { expires: 5 },
    { exchange: 'x' },
    { exchange: new Exchange('x', { type: 'topic' }) },
    { exchange: 'x', routingKey: 'k' },
    { exchange: 'x', bindingArguments: { a: 1 } },
    { bindings: [x.binding()] },
    { bindings: [x.binding('k')] },
    { bindings: [x.binding('k', { a: 1 })] },
    { bindings: [x.binding('k'), x.binding('l')] },
  ];
  const exchanges: ExchangeOptions[] = [
    {},
    { type: 'topic' },
    { durable: false },
    { autoDelete: true },
    { internal: true },
    { passive: true },
    { noDeclare: true },
    { arguments: { a: 1 } },
    { alternateExchange: 'a' },
    { bindings: [x.binding()] },
  ];

  it('differs for whatever is declared differently', () => {
    const keys = [
      ...queues.map((options) => declarationKey(new Queue('x', options))),
      ...exchanges.map((options) => declarationKey(new Exchange('x', options))),
      declarationKey(new Queue('y')),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('a declaration may be cached', () => {
  it.each<[string, Exchange | Queue, boolean]>([
    ['an exchange', x, true],
    ['an auto-delete exchange', new Exchange('x', { autoDelete: true }), false],
    ['a queue', new Queue('q'), true],
    ['an auto-delete queue', new Queue('q', { autoDelete: true }), false],
    ['an exclusive queue', new Queue('q', { exclusive: true }), false],
    ['a queue that expires', new Queue('q', { expires: 5 }), false],
    [
      'a queue that expires by its arguments',
      new Queue('q', { arguments: { 'x-expires': 5 } }),
      false,
    ],
    ['a queue named by the server', new Queue('', {}), false],
  ])('of %s: %s', (_, entity, expected) => {
    expect(canCacheDeclaration(entity)).toBe(expected);
  });
});
