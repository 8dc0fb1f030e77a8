import { describe, expect, expectTypeOf, it } from 'vitest';
import { isConfigurationError } from '../../lib/errors.js';
import { ensured, Holder } from './fakes/ensured-setting.js';
import { fakeSetting } from './fakes/fake-setting.js';

function join(this: Holder & { prefix: string }, text: string, count: number) {
  return this.prefix + text.repeat(count);
}

describe('ensure: the function that it returns', () => {
  it('keeps this, arguments and result, and is named after the operation', async () => {
    const { connection } = fakeSetting();
    const holder = Object.assign(new Holder(), { prefix: 'got ' });
    const operation = connection.ensure(holder, join);
    expectTypeOf(operation).toEqualTypeOf<(text: string, count: number) => Promise<string>>();
    expect(await operation('x', 3)).toBe('got xxx');
    expect(operation.name).toBe('join(ensured)');
  });

  it('has the types of the operation', () => {
    const { connection } = fakeSetting();
    expectTypeOf(connection.ensure(null, async (id: number) => ({ id }))).toEqualTypeOf<
      (id: number) => Promise<{ id: number }>
    >();
    expectTypeOf(connection.ensure(null, () => undefined)).toEqualTypeOf<
      () => Promise<undefined>
    >();
    // @ts-expect-error an object without revive(channel) is no revivable
    expect(() => connection.ensure({}, () => 1)).toThrow('revive');
  });

  it('is independent in each of its calls', async () => {
    const { transport, operation } = await ensured({ maxRetries: 1, jitter: 0 });
    const codes: (number | 'ok')[] = [405, 'ok', 405, 'ok'];
    transport.latest.answer = () => codes.shift() ?? 'ok';
    expect(await operation('first')).toBe('first');
    expect(await operation('second')).toBe('second');
  });

  it.each<[string, unknown, unknown, unknown]>([
    ['no operation', null, undefined, {}],
    ['an operation that is no function', null, {}, {}],
    ['undefined as revivable', undefined, () => 1, {}],
    ['a revivable without revive', {}, () => 1, {}],
    ['a negative maxRetries', null, () => 1, { maxRetries: -1 }],
    ['a broken maxRetries', null, () => 1, { maxRetries: 1.5 }],
    ['a timeout of 0', null, () => 1, { timeout: 0 }],
    ['NaN as interval', null, () => 1, { intervalStep: Number.NaN }],
    ['jitter above 1', null, () => 1, { jitter: 2 }],
    ['a signal that is none', null, () => 1, { signal: {} }],
    ['an errback that is none', null, () => 1, { errback: 'x' }],
    ['retryErrors that are no classes', null, () => 1, { retryErrors: ['Error'] }],
    ['an unknown option', null, () => 1, { maxRetrys: 1 }],
  ])('is refused at once for %s', (_, revivable, operation, options) => {
    const { connection } = fakeSetting();
    const make = () => connection.ensure(revivable as never, operation as never, options as never);
    expect(make).toThrow(expect.toSatisfy(isConfigurationError) as never);
  });
});
