import { describe, expect, it } from 'vitest';
import { printable } from '../../lib/printable.js';

describe('printable', () => {
  it.each([
    ['a line\r\nbreak', 'a line\\u000d\\u000abreak'],
    ['\u001b[31mred', '\\u001b[31mred'],
    ['nul\0', 'nul\\u0000'],
    ['c1\u0085', 'c1\\u0085'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['\u202egpj.exe', '\\u202egpj.exe'],
    ['\u2066x\u2069', '\\u2066x\\u2069'],
    ['\ud800', '\\ud800'],
    ['größe 漢字 😀', 'größe 漢字 😀'],
  ])('escapes what could forge or hide a log line in %j', (text, expected) => {
    expect(printable(text)).toBe(expected);
  });

  it('cuts long text and says so', () => {
    expect(printable('x'.repeat(256))).toBe('x'.repeat(256));
    expect(printable('x'.repeat(65_536))).toBe(`${'x'.repeat(256)}…`);
    expect(printable('abcdef', 3)).toBe('abc…');
  });

  it('is no longer than the cut when everything is escaped', () => {
    expect(printable('\n'.repeat(1000))).toHaveLength(257);
  });
});
