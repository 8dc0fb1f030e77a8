import { describe, expect, it } from 'vitest';
import { isMismatch, isNotFound } from '../../lib/policy/reply-codes.js';

describe('a reply code', () => {
  it.each([
    { code: 404, notFound: true, mismatch: false },
    { code: 406, notFound: false, mismatch: true },
    { code: undefined, notFound: false, mismatch: false },
    { code: 0, notFound: false, mismatch: false },
    { code: 200, notFound: false, mismatch: false },
    { code: 403, notFound: false, mismatch: false },
    { code: 405, notFound: false, mismatch: false },
    { code: 541, notFound: false, mismatch: false },
  ])('$code: not found $notFound, mismatch $mismatch', ({ code, notFound, mismatch }) => {
    expect({ notFound: isNotFound(code), mismatch: isMismatch(code) }).toEqual({
      notFound,
      mismatch,
    });
  });
});
