import type { OptionCheck } from '../policy/check-options.js';

// AMQP's short string: its length is one octet.
const SHORT_STRING = 255;

/** A name or key that travels as an AMQP short string. */
export const shortString: OptionCheck = {
  allowed: `a string of at most ${SHORT_STRING} bytes in UTF-8`,
  accepts: (value) => typeof value === 'string' && Buffer.byteLength(value) <= SHORT_STRING,
};
