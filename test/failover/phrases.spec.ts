import { expect, it } from 'vitest';
import { sentenceOf } from '../../lib/phrases.js';

it.each([
  [new Error('read ECONNRESET'), 'read ECONNRESET.'],
  [new Error('It was closed.'), 'It was closed.'],
  ['why?', 'why?'],
  ['', ''],
])('%s can be followed by another sentence', (cause, sentence) => {
  expect(sentenceOf(cause)).toBe(sentence);
});
