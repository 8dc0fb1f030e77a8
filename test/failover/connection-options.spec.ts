import { describe, expect, it } from 'vitest';
import { ConfigurationError, isConfigurationError } from '../../lib/errors.js';
import type { FailoverConnectionOptions } from '../../lib/failover/connection-options.js';
import { FailoverConnection } from '../../lib/failover/failover-connection.js';
import { fakeSetting } from './fakes/fake-setting.js';

const made = (options: unknown): ConfigurationError => {
  try {
    void new FailoverConnection(options as FailoverConnectionOptions);
  } catch (error) {
    expect(error).toSatisfy(isConfigurationError);
    return error as ConfigurationError;
  }
  throw new Error('nothing was refused');
};

describe('an option that is refused is named, with what is allowed', () => {
  const notMilliseconds = [-1, Number.NaN, Number.POSITIVE_INFINITY, '5000', null, 5n];
  const durations: [string, string][] = [
    ['connectTimeout', 'a number of milliseconds, 1 or more'],
    ['intervalStart', 'a number of milliseconds, 0 or more'],
    ['intervalStep', 'a number of milliseconds, 0 or more'],
    ['intervalMax', 'a number of milliseconds, 0 or more'],
    ['livedAfter', 'a number of milliseconds, 0 or more'],
    ['refusedInterval', 'a number of milliseconds, 0 or more'],
    ['heartbeat', 'a number of milliseconds, 1000 or more (a URL query takes seconds'],
    ['rpcTimeout', 'a number of milliseconds, 1 or more'],
    ['closeTimeout', 'a number of milliseconds, 1 or more'],
  ];

  it.each([
    ...durations.flatMap(([option, allowed]) =>
      notMilliseconds.map((value): [string, unknown, string] => [option, value, allowed]),
    ),
    ['connectTimeout', 0, 'a number of milliseconds, 1 or more'],
    ['heartbeat', 5, '`?heartbeat=5`'],
    ['heartbeat', 0, '1000 or more'],
    ['heartbeat', 999, '1000 or more'],
    ['jitter', 1.1, 'a number from 0 to 1'],
    ['jitter', -0.1, 'a number from 0 to 1'],
    ['jitter', Number.NaN, 'a number from 0 to 1'],
    ['jitter', true, 'a number from 0 to 1'],
    ['failoverStrategy', 'random', "'round-robin' | 'shuffle' | 'priority', or a function"],
    ['failoverStrategy', 5, "'round-robin' | 'shuffle' | 'priority', or a function"],
    ['connectionName', 5, 'a string'],
    ['allowMixedSchemes', 'yes', 'true or false'],
    ['logger', true, 'a logger with the methods log, warn and error'],
    ['logger', {}, 'a logger with the methods log, warn and error'],
    ['logger', { log: () => undefined, warn: () => undefined }, 'log, warn and error'],
    ['logger', null, 'a logger with the methods log, warn and error'],
  ] as [string, unknown, string][])('%s: %o', (option, value, allowed) => {
    const { message } = made({ urls: 'amqp://a', [option]: value });
    expect(message).toContain(`FailoverConnection: ${option} is `);
    expect(message).toContain(allowed);
  });

  it('an unknown one too, with those that are known', () => {
    const { message } = made({ urls: 'amqp://a', conectTimeout: 5 });
    expect(message).toContain('"conectTimeout"');
    expect(message).toContain('connectTimeout, ');
  });

  it.each([[undefined], [null], ['amqp://a'], [5]])('%o as the options', (options) => {
    expect(made(options).message).not.toBe('');
  });

  it.each([[undefined], [null], [''], [[]], [5], [{}], ['http://a'], ['amqp://a;amqp://a']])(
    '%o as urls',
    (urls) => {
      expect(made({ urls }).message).not.toBe('');
    },
  );

  it('and no secret is shown', () => {
    const { message } = made({ urls: 'amqp://user:s3cret@a:port' });
    expect(message).not.toContain('s3cret');
  });
});

describe('an option', () => {
  it('that is undefined counts as not given', () => {
    const given = { urls: 'amqp://a', heartbeat: undefined, logger: undefined, jitter: undefined };
    const { options } = new FailoverConnection(given).parts;
    expect(options).toMatchObject({
      failoverStrategy: 'round-robin',
      connectTimeout: 5_000,
      intervalStart: 500,
      intervalStep: 500,
      intervalMax: 10_000,
      jitter: 0.2,
      livedAfter: 30_000,
      refusedInterval: 10_000,
      heartbeat: 5_000,
      rpcTimeout: 30_000,
      closeTimeout: 2_000,
      allowMixedSchemes: false,
    });
    expect(Object.isFrozen(options)).toBe(true);
  });

  it('reaches the dial', async () => {
    const { connection, transport } = fakeSetting({
      heartbeat: 7_000,
      rpcTimeout: 8,
      closeTimeout: 9,
    });
    await connection.ensureConnection();
    expect(transport.lastDial.options).toMatchObject({
      heartbeat: 7_000,
      rpcTimeout: 8,
      closeTimeout: 9,
      connectTimeout: 100,
      connectionName: 'test',
    });
  });

  it.each([
    ['ensureConnection', 'maxRetries', -1],
    ['ensureConnection', 'timeout', 0],
    ['ensureConnection', 'errback', 5],
    ['ensureConnection', 'retries', 5],
    ['connect', 'maxRetries', 1.5],
    ['connect', 'signal', {}],
    ['channel', 'confirm', 'yes'],
    ['channel', 'timeout', Number.NaN],
    ['defaultChannel', 'confirm', true],
  ] as const)('of %s is refused as well: %s = %o', async (method, option, value) => {
    const { connection, transport } = fakeSetting();
    await expect(connection[method]({ [option]: value } as never)).rejects.toThrow(
      new RegExp(`(: ${option} is |has no option "${option}")`, 'u'),
    );
    expect(transport.dials).toEqual([]);
  });
});
