import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** amqplib's own tables of the protocol, which it does not export, for what its API does not offer. */
export const defs = require(join(dirname(require.resolve('amqplib')), 'lib/defs.js')) as {
  readonly BasicPublish: number;
  readonly BasicProperties: number;
};
