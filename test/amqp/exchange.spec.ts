import { describe, expect, it } from 'vitest';
import { Binding } from '../../lib/amqp/binding.js';
import {
  argumentConflict,
  defaultExchangeBinding,
  defaultExchangeType,
} from '../../lib/amqp/entity.messages.js';
import { Exchange } from '../../lib/amqp/exchange.js';
import type { ExchangeOptions } from '../../lib/amqp/exchange.js';
import { optionRefused } from '../../lib/option.messages.js';
import { isConfigurationError } from '../../lib/errors.js';

const bytes = 'a string of at most 255 bytes in UTF-8';
const boolean = 'true or false';

const refusal = (make: () => unknown): string => {
  try {
    make();
  } catch (error) {
    if (isConfigurationError(error)) return error.message;
    throw error;
  }
  throw new Error('it was accepted');
};

describe('an exchange', () => {
  it('has the defaults of kombu, and wants its messages to be routed', () => {
    expect(new Exchange('x')).toEqual({
      name: 'x',
      type: 'direct',
      durable: true,
      autoDelete: false,
      internal: false,
      passive: false,
      noDeclare: false,
      deliveryMode: 'persistent',
      mandatory: true,
      arguments: {},
      bindings: [],
    });
  });

  it.each<[ExchangeOptions, object]>([
    [{ type: 'topic' }, { type: 'topic' }],
    [{ type: 'x-delayed-message' }, { type: 'x-delayed-message' }],
    [
      { durable: false, autoDelete: true, internal: true },
      { durable: false, autoDelete: true, internal: true },
    ],
    [{ deliveryMode: 1 }, { deliveryMode: 'transient' }],
    [{ deliveryMode: 2 }, { deliveryMode: 'persistent' }],
    [{ deliveryMode: 'transient' }, { deliveryMode: 'transient' }],
    [{ mandatory: false }, { mandatory: false }],
    [{ alternateExchange: 'rest' }, { arguments: { 'alternate-exchange': 'rest' } }],
    [
      { arguments: { a: 1 }, alternateExchange: 'rest' },
      { arguments: { a: 1, 'alternate-exchange': 'rest' } },
    ],
    [
      { alternateExchange: 'rest', arguments: { 'alternate-exchange': 'rest' } },
      { arguments: { 'alternate-exchange': 'rest' } },
    ],
    [
      { type: undefined, durable: undefined },
      { type: 'direct', durable: true },
    ],
  ])('takes %j', (options, expected) => {
    expect(new Exchange('x', options)).toMatchObject(expected);
  });

  it('is immutable, and copies what it was given', () => {
    const args = { a: 1 };
    const bindings: Binding[] = [];
    const exchange = new Exchange('x', { arguments: args, bindings });
    args.a = 2;
    bindings.push(exchange.binding());
    expect(exchange.arguments).toEqual({ a: 1 });
    expect(exchange.bindings).toEqual([]);
    for (const part of [exchange, exchange.arguments, exchange.bindings]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it('makes bindings to itself', () => {
    const exchange = new Exchange('x');
    expect(exchange.binding('key', { a: 1 })).toEqual(
      new Binding(exchange, { routingKey: 'key', arguments: { a: 1 } }),
    );
    expect(exchange.binding()).toMatchObject({ exchange, routingKey: '', arguments: {} });
  });

  it.each<[string, unknown, unknown, string]>([
    ['a name that is no string', 7, {}, optionRefused('the name of an exchange', 7, bytes)],
    [
      'a name of 256 bytes',
      'ü'.repeat(128),
      {},
      optionRefused('the name of an exchange', 'ü'.repeat(128), bytes),
    ],
    [
      'an empty type',
      'x',
      { type: '' },
      optionRefused(
        'exchange "x": type',
        '',
        'direct, topic, fanout, headers or the type of a plugin',
      ),
    ],
    [
      'durable as text',
      'x',
      { durable: 'yes' },
      optionRefused('exchange "x": durable', 'yes', boolean),
    ],
    [
      'delivery mode 3',
      'x',
      { deliveryMode: 3 },
      optionRefused('exchange "x": deliveryMode', 3, "'persistent' | 'transient' | 1 | 2"),
    ],
    [
      'arguments that are an array',
      'x',
      { arguments: [] },
      optionRefused('exchange "x": arguments', [], 'an object of keys and values'),
    ],
    [
      'arguments that are a Map',
      'x',
      { arguments: new Map() },
      optionRefused('exchange "x": arguments', {}, 'an object of keys and values'),
    ],
    [
      'bindings that are none',
      'x',
      { bindings: ['y'] },
      optionRefused('exchange "x": bindings', [], 'a list of bindings'),
    ],
    ['a default exchange of another type', '', { type: 'topic' }, defaultExchangeType('topic')],
    [
      'two alternate exchanges',
      'x',
      { alternateExchange: 'a', arguments: { 'alternate-exchange': 'b' } },
      argumentConflict('exchange "x"', 'alternateExchange', 'alternate-exchange'),
    ],
  ])('refuses %s', (_, name, options, sentence) => {
    expect(refusal(() => new Exchange(name as string, options as object))).toBe(sentence);
  });

  it.each(['exclusive', 'autodelete', 'toString'])(
    'refuses the unknown option %s by its name',
    (key) => {
      expect(refusal(() => new Exchange('x', { [key]: true }))).toMatch(
        `exchange "x" has no option "${key}"; allowed: type, durable`,
      );
    },
  );
});

describe('a binding', () => {
  it('is immutable', () => {
    const binding = new Exchange('x').binding();
    expect(Object.isFrozen(binding) && Object.isFrozen(binding.arguments)).toBe(true);
  });

  it.each<[string, unknown, string]>([
    [
      'a routing key of 256 bytes',
      { routingKey: 'k'.repeat(256) },
      optionRefused('a binding: routingKey', 'k'.repeat(256), bytes),
    ],
    [
      'arguments as text',
      { arguments: 'a' },
      optionRefused('a binding: arguments', 'a', 'an object of keys and values'),
    ],
    [
      'an unknown option',
      { key: 1 },
      'a binding has no option "key"; allowed: routingKey, arguments',
    ],
  ])('refuses %s', (_, options, sentence) => {
    expect(refusal(() => new Binding(new Exchange('x'), options as object))).toBe(sentence);
  });

  it('refuses the default exchange', () => {
    expect(refusal(() => new Exchange('').binding('key'))).toBe(
      defaultExchangeBinding('a binding'),
    );
  });
});
