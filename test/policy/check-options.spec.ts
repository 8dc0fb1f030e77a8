import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../lib/errors.js';
import {
  notAnObject,
  optionRefused,
  secretRefused,
  unknownOption,
} from '../../lib/option.messages.js';
import type { OptionCheck } from '../../lib/policy/check-options.js';
import {
  abortSignal,
  anything,
  callable,
  checkOptions,
  count,
  duration,
  either,
  flag,
  listOf,
  oneOf,
  plainObject,
  share,
  text,
  wholeNumber,
} from '../../lib/policy/check-options.js';

interface Row {
  readonly name: string;
  readonly check: OptionCheck;
  readonly takes: readonly unknown[];
  readonly refuses: readonly unknown[];
  readonly allowed: string;
}

const notNumbers = [NaN, Infinity, -Infinity, '5', 5n, null, true, {}, [5]];
const isText = (value: unknown) => typeof value === 'string';

const rows: Row[] = [
  {
    name: 'duration()',
    check: duration(),
    takes: [0, 0.5, 1, 1e9],
    refuses: [-1, -0.001, ...notNumbers],
    allowed: 'a number of milliseconds, 0 or more',
  },
  {
    name: 'duration(1000)',
    check: duration(1_000),
    takes: [1_000, 1_000.5],
    refuses: [999.9, 0, ...notNumbers],
    allowed: 'a number of milliseconds, 1000 or more',
  },
  {
    name: 'count()',
    check: count(),
    takes: [0, 1, Number.MAX_SAFE_INTEGER],
    refuses: [-1, 0.5, Number.MAX_SAFE_INTEGER + 1, ...notNumbers],
    allowed: 'a whole number, 0 or more',
  },
  {
    name: 'count(1)',
    check: count(1),
    takes: [1, 65_535],
    refuses: [0, 1.5, ...notNumbers],
    allowed: 'a whole number, 1 or more',
  },
  {
    name: 'wholeNumber',
    check: wholeNumber(1, 255, 'bytes'),
    takes: [1, 255],
    refuses: [0, 256, 1.5, ...notNumbers],
    allowed: 'a whole number of bytes from 1 to 255',
  },
  {
    name: 'plainObject',
    check: plainObject,
    takes: [{}, { a: 1 }, Object.create(null)],
    refuses: [null, [], new Map(), new Date(), () => 1, 'a', 1],
    allowed: 'an object of keys and values',
  },
  {
    name: 'share',
    check: share,
    takes: [0, 0.2, 1],
    refuses: [-0.1, 1.1, 20, ...notNumbers],
    allowed: 'a number from 0 to 1',
  },
  {
    name: 'text',
    check: text,
    takes: ['', 'a'],
    refuses: [1, null, ['a'], {}],
    allowed: 'a string',
  },
  {
    name: 'flag',
    check: flag,
    takes: [true, false],
    refuses: [0, 1, 'true', null],
    allowed: 'true or false',
  },
  {
    name: 'callable',
    check: callable,
    takes: [() => 1, function* () {}, Date],
    refuses: ['f', {}, null],
    allowed: 'a function',
  },
  {
    name: 'abortSignal',
    check: abortSignal,
    takes: [new AbortController().signal, AbortSignal.abort()],
    refuses: [new AbortController(), { aborted: false }, null],
    allowed: 'an AbortSignal',
  },
  {
    name: 'oneOf',
    check: oneOf('wait', 'reject', false, null),
    takes: ['wait', 'reject', false, null],
    refuses: ['WAIT', '', true, 0, {}],
    allowed: "'wait' | 'reject' | false | null",
  },
  {
    name: 'either',
    check: either(oneOf('shuffle'), callable),
    takes: ['shuffle', () => 1],
    refuses: ['random', 1, null],
    allowed: "'shuffle', or a function",
  },
  {
    name: 'listOf',
    check: listOf('strings', isText),
    takes: [[], ['a'], ['a', 'b']],
    refuses: ['a', [1], ['a', 1], { length: 0 }, new Set(['a']), null],
    allowed: 'a list of strings',
  },
];

describe.each(rows)('$name', ({ check, takes, refuses, allowed }) => {
  it('says what it allows', () => {
    expect(check.allowed).toBe(allowed);
  });

  it.each(takes.map((value) => ({ value })))('takes $value', ({ value }) => {
    expect(check.accepts(value)).toBe(true);
  });

  it.each(refuses.map((value) => ({ value })))(`refuses $value`, ({ value }) => {
    expect(check.accepts(value)).toBe(false);
  });
});

describe('anything', () => {
  it.each([null, 0, 'x', {}, NaN])('takes %o', (value) => {
    expect(anything.accepts(value)).toBe(true);
  });
});

describe('checkOptions', () => {
  const checks = { timeout: duration(), mode: oneOf('wait', 'reject'), name: text };

  it.each([
    { options: {} },
    { options: { timeout: 5, mode: 'wait', name: 'n' } },
    { options: { timeout: undefined, mode: undefined } },
    { options: Object.create(null) as object },
  ])('takes $options', ({ options }) => {
    expect(() => checkOptions('here', options, checks)).not.toThrow();
  });

  it.each([
    { options: { timeout: -1 }, option: 'timeout', value: -1, allowed: duration().allowed },
    {
      options: { timeout: 1, mode: 'x' },
      option: 'mode',
      value: 'x',
      allowed: checks.mode.allowed,
    },
    { options: { name: null }, option: 'name', value: null, allowed: 'a string' },
  ])(
    'refuses $options, naming $option and what is allowed',
    ({ options, option, value, allowed }) => {
      expect(() => checkOptions('here', options, checks)).toThrow(
        new ConfigurationError(optionRefused(`here: ${option}`, value, allowed)),
      );
    },
  );

  it.each(['timeuot', 'Timeout', '', 'toString', 'constructor', '__proto__'])(
    'refuses the unknown option "%s" and names those it knows',
    (option) => {
      const options = JSON.parse(`{${JSON.stringify(option)}: 5}`) as object;
      expect(() => checkOptions('here', options, checks)).toThrow(
        new ConfigurationError(unknownOption('here', option, ['timeout', 'mode', 'name'])),
      );
    },
  );

  it('refuses an unknown option also when its value is undefined', () => {
    expect(() => checkOptions('here', { timeuot: undefined }, checks)).toThrow(ConfigurationError);
  });

  it.each([null, undefined, 'options', 5, [], () => ({})])(
    'refuses %o in place of options',
    (given) => {
      expect(() => checkOptions('here', given as unknown as object, checks)).toThrow(
        new ConfigurationError(notAnObject('here', given)),
      );
    },
  );

  it.each([
    { says: 'an option that its check calls secret', key: 'tls', check: { ...flag, secret: true } },
    {
      says: 'one of several checks is secret',
      key: 'tls',
      check: either(text, { ...flag, secret: true }),
    },
    { says: 'an option whose name says so', key: 'password', check: flag },
  ])('shows no more than the type of a secret: $says', ({ key, check }) => {
    const refusal = (): void => checkOptions('here', { [key]: 4711 }, { [key]: check });
    expect(refusal).toThrow(
      new ConfigurationError(secretRefused(`here: ${key}`, 0, check.allowed)),
    );
    expect(refusal).not.toThrow('4711');
  });

  it.each(['s3cret://a', 'amqp://u:s3cret@h', 'u:s3cret@h', 'h?password=s3cret'])(
    'shows nothing of what looks like a URL: %s',
    (url) => {
      const asValue = (): void => checkOptions('here', { timeout: url }, checks);
      expect(asValue).toThrow(/^here: timeout is a string/u);
      expect(asValue).not.toThrow('s3cret');
      const asKey = (): void => checkOptions('here', { [url]: 1 }, checks);
      expect(asKey).toThrow(/^here has no option of that name; allowed: timeout, mode, name$/u);
      expect(asKey).not.toThrow('s3cret');
    },
  );

  it('escapes and cuts what it shows', () => {
    const refusal = (): void => checkOptions('here', { mode: `a\n${'b'.repeat(100)}` }, checks);
    expect(refusal).toThrow(/^here: mode is "a\\u000ab{57}…"; allowed: 'wait'/u);
  });
});
