/** Code that breaks a rule, or keeps all of them, in the file where it would stand. */
export interface Planted {
  readonly says: string;
  readonly file: string;
  readonly code: string;
}

/** The same, with the rule that must refuse it. */
export interface Violation extends Planted {
  readonly rule: string;
}

const RESTRICTED = 'eslint(no-restricted-imports)';

const importOf =
  (rule: string) =>
  (file: string, specifier: string): Violation => ({
    says: `${file} imports ${specifier}`,
    file,
    code: `import { x } from '${specifier}';\nexport const y = x;`,
    rule,
  });

const forbidden = importOf(RESTRICTED);

const inPolicy = (code: string, rule: string): Violation => ({
  says: `policy uses ${code}`,
  file: 'lib/policy/impure.ts',
  code: `export const value = (): unknown => ${code};`,
  rule,
});

const restrictedGlobal = 'eslint(no-restricted-globals)';
const restrictedProperty = 'eslint(no-restricted-properties)';

const promise = (says: string, rule: string, code: string): Violation => ({
  says,
  file: 'lib/failover/promise.ts',
  code: `const work = async (): Promise<number> => Promise.resolve(1);\n${code}`,
  rule,
});

export const violations: readonly Violation[] = [
  forbidden('lib/errors.ts', './policy/strategy.js'),
  forbidden('lib/errors.ts', 'rxjs'),
  forbidden('lib/failover.messages.ts', './amqp/broker.js'),
  forbidden('lib/option.messages.ts', './policy/check-options.js'),
  forbidden('lib/publish.messages.ts', './nest.messages.js'),
  forbidden('lib/phrases.ts', './policy/strategy.js'),
  forbidden('lib/printable.ts', 'rxjs'),
  forbidden('lib/policy/a.ts', '../failover/outbox.js'),
  forbidden('lib/policy/a.ts', '../amqp/broker.js'),
  forbidden('lib/policy/a.ts', '../nest.messages.js'),
  forbidden('lib/policy/a.ts', 'node:fs'),
  forbidden('lib/policy/a.ts', '@nestjs/common'),
  forbidden('lib/policy/a.ts', 'rxjs'),
  forbidden('lib/policy/a.ts', './index.js'),
  forbidden('lib/serialization/a.ts', '../amqp/broker.js'),
  forbidden('lib/serialization/a.ts', '@nestjs/common'),
  forbidden('lib/amqp/a.ts', '@nestjs/common'),
  forbidden('lib/amqp/a.ts', 'rxjs'),
  forbidden('lib/amqp/a.ts', '../serialization/json.js'),
  forbidden('lib/amqp/a.ts', '../failover/outbox.js'),
  forbidden('lib/amqp/a.ts', '../memory/memory-broker.js'),
  forbidden('lib/failover/a.ts', 'amqplib'),
  forbidden('lib/failover/a.ts', 'amqplib/callback_api'),
  forbidden('lib/failover/a.ts', '@nestjs/core/injector/injector.js'),
  forbidden('lib/failover/a.ts', '../failover.module.js'),
  forbidden('lib/failover/a.ts', '../decorators/consumer.decorator.js'),
  forbidden('lib/failover/a.ts', '../index.js'),
  forbidden('lib/failover/a.ts', '../nest.messages.js'),
  forbidden('lib/failover/a.ts', '../memory/memory-broker.js'),
  forbidden('lib/decorators/a.ts', 'amqplib'),
  forbidden('lib/interfaces/a.ts', 'amqplib'),
  forbidden('lib/failover.module.ts', 'amqplib'),
  forbidden('lib/failover.module.ts', './index.js'),
  forbidden('lib/nest.messages.ts', 'amqplib'),
  forbidden('lib/consumer.explorer.ts', './amqp/amqplib.transport.js'),
  forbidden('lib/failover.constants.ts', './memory/memory-broker.js'),
  forbidden('lib/memory/a.ts', '../errors.js'),
  forbidden('lib/memory/a.ts', '../option.messages.js'),
  forbidden('lib/memory/a.ts', '../printable.js'),
  forbidden('lib/memory/a.ts', '../policy/interval.js'),
  forbidden('lib/memory/a.ts', 'amqplib'),
  forbidden('lib/testing/a.ts', '../failover/outbox.js'),
  {
    says: 'failover imports a type of amqplib',
    file: 'lib/failover/type.ts',
    code: `import type { Channel } from 'amqplib';\nexport type C = Channel;`,
    rule: RESTRICTED,
  },
  {
    says: 'amqp exports what is failover',
    file: 'lib/amqp/exports.ts',
    code: `export { x } from '../failover/outbox.js';`,
    rule: RESTRICTED,
  },
  {
    says: 'failover loads the Nest layer lazily',
    file: 'lib/failover/lazy.ts',
    code: `export const lazy = import('../failover.module.js');`,
    rule: RESTRICTED,
  },
  inPolicy('Math.random()', restrictedProperty),
  inPolicy('Date.now()', restrictedGlobal),
  inPolicy('new Date()', restrictedGlobal),
  inPolicy('setTimeout(String, 1)', restrictedGlobal),
  inPolicy('globalThis.setTimeout', restrictedGlobal),
  inPolicy('performance.now()', restrictedGlobal),
  inPolicy('process.env', restrictedGlobal),
  inPolicy('AbortSignal.timeout(1)', restrictedProperty),
  {
    says: 'two files import each other',
    file: 'lib/failover/cycle-a.ts',
    code: `import { b } from './cycle-b.js';\nexport const a = (): number => b();`,
    rule: 'import(no-cycle)',
  },
  promise('a promise floats', 'typescript(no-floating-promises)', 'work();'),
  promise('a promise is a condition', 'typescript(no-misused-promises)', 'if (work()) work;'),
  promise(
    'an async function is a listener',
    'typescript(no-misused-promises)',
    'setInterval(work, 1);',
  ),
  promise(
    'a promise is returned from a try',
    'typescript(return-await)',
    'export const f = async (): Promise<number> => { try { return work(); } catch { return 0; } };',
  ),
  {
    says: 'lib says any',
    file: 'lib/amqp/any.ts',
    code: 'export const anything = (value: any): unknown => value;',
    rule: 'typescript(no-explicit-any)',
  },
];

const legal = importOf('');

export const allowed: readonly Planted[] = [
  legal('lib/errors.ts', './failover.messages.js'),
  legal('lib/option.messages.ts', './printable.js'),
  legal('lib/publish.messages.ts', './phrases.js'),
  legal('lib/policy/a.ts', './strategy.js'),
  legal('lib/policy/a.ts', '../errors.js'),
  legal('lib/policy/a.ts', '../option.messages.js'),
  legal('lib/serialization/a.ts', '../policy/check-options.js'),
  legal('lib/serialization/a.ts', 'node:zlib'),
  legal('lib/amqp/a.ts', 'amqplib/callback_api'),
  legal('lib/amqp/a.ts', '../policy/clock.js'),
  legal('lib/amqp/a.ts', '../option.messages.js'),
  legal('lib/amqp/a.ts', '../printable.js'),
  legal('lib/amqp/memory-url.ts', '../memory/memory-broker.js'),
  legal('lib/failover/a.ts', 'rxjs'),
  legal('lib/failover/a.ts', '../publish.messages.js'),
  legal('lib/failover/a.ts', '../amqp/channel.js'),
  legal('lib/failover/a.ts', '../serialization/json.js'),
  legal('lib/decorators/a.ts', 'rxjs'),
  legal('lib/decorators/a.ts', '../failover/producer.js'),
  legal('lib/failover.module.ts', '@nestjs/common'),
  legal('lib/failover.module.ts', './failover/producer.js'),
  legal('lib/consumer.explorer.ts', './amqp/channel.js'),
  legal('lib/nest.messages.ts', './policy/check-options.js'),
  legal('lib/memory/a.ts', 'node:net'),
  legal('lib/testing/a.ts', '../memory/memory-broker.js'),
  {
    says: 'no promise is left alone',
    file: 'lib/failover/quiet.ts',
    code: 'export const f = async (): Promise<void> => { await Promise.resolve(); };',
  },
];
