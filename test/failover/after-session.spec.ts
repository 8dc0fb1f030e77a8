import { expect, it } from 'vitest';
import {
  AmqpError,
  ConnectionClosedError,
  OperationalError,
  TopologyError,
} from '../../lib/errors.js';
import type { SessionFailure } from '../../lib/failover/mixins/after-session.js';
import { afterSession } from '../../lib/failover/mixins/after-session.js';
import type { Recoverability } from '../../lib/policy/recoverability.js';

const place = { connection: {}, channel: {} };
const cancelled = new AmqpError('cancelled', { scope: 'channel', ...place });
const notFound = new AmqpError('no queue', { scope: 'channel', code: 404, ...place });
const lost = new AmqpError('gone', { scope: 'connection', ...place });
const mismatch = new TopologyError('differs', 'queue "q"', 406);
const forbidden = new TopologyError('not allowed', 'queue "q"', 403);
const own = new TypeError('x is undefined');
const spent = new OperationalError('no broker', 2, []);
const closed = new ConnectionClosedError('closed');

const ours = (recoverableBy: Recoverability): SessionFailure['judged'] => ({
  recoverableBy,
  fault: { broker: 'amqp://a', loss: undefined },
});
const foreign: SessionFailure['judged'] = { recoverableBy: 'none', fault: undefined };

const consuming = { consumed: true, isEnd: false, ranBefore: true };
const starting = { consumed: false, isEnd: false, ranBefore: false };
const startingAgain = { ...starting, ranBefore: true };

it.each<[string, SessionFailure, ReturnType<typeof afterSession>]>([
  [
    'its consumer was cancelled',
    { ...consuming, isEnd: true, error: cancelled, judged: ours('none') },
    'again',
  ],
  [
    'its queue is gone',
    { ...consuming, isEnd: true, error: notFound, judged: ours('none') },
    'again',
  ],
  ['its connection is lost', { ...consuming, error: lost, judged: ours('connection') }, 'again'],
  ['a callback met a loss', { ...consuming, error: own, judged: ours('channel') }, 'again'],
  ['a callback threw', { ...consuming, error: own, judged: foreign }, 'leave'],
  [
    'a callback asked for what is not there',
    { ...consuming, error: notFound, judged: ours('none') },
    'leave',
  ],
  ['lost while starting', { ...starting, error: lost, judged: ours('connection') }, 'again'],
  [
    'a queue differs, at the first start',
    { ...starting, error: mismatch, judged: foreign },
    'leave',
  ],
  ['a queue differs, later', { ...startingAgain, error: mismatch, judged: foreign }, 'wait'],
  [
    'a queue is forbidden, at the first start',
    { ...starting, error: forbidden, judged: foreign },
    'wait',
  ],
  ['a queue is missing', { ...startingAgain, error: notFound, judged: ours('none') }, 'wait'],
  ['no broker in time', { ...startingAgain, error: spent, judged: foreign }, 'leave'],
  ['getConsumers threw', { ...startingAgain, error: own, judged: foreign }, 'leave'],
  ['its connection was closed', { ...startingAgain, error: closed, judged: foreign }, 'leave'],
])('after a session that failed as %s it goes on: %#', (_how, failure, next) => {
  expect(afterSession(failure)).toBe(next);
});
