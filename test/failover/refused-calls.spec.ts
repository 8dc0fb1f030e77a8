import { describe, expect, it } from 'vitest';
import { Queue } from '../../lib/amqp/queue.js';
import { isConfigurationError, isConnectionClosedError } from '../../lib/errors.js';
import type { ConsumerOptions } from '../../lib/failover/consumer-definition.js';
import { ConsumerLoop } from '../../lib/failover/consumer-loop.js';
import { Producer } from '../../lib/failover/producer.js';
import { fakeSetting } from './fakes/fake-setting.js';

describe('a call that could only go wrong later is refused when it is made', () => {
  const queue = new Queue('q');

  it.each([
    ['an event that there is not', 'lots', () => undefined],
    ['a listener that is none', 'lost', 'x'],
  ])('%s', (_what, type, listener) => {
    const { connection } = fakeSetting();
    expect(() => connection.on(type as 'lost', listener as () => void)).toThrow(
      expect.toSatisfy(isConfigurationError),
    );
  });

  it.each<[string, Partial<ConsumerOptions>]>([
    ['a consumer that accepts nothing', { accept: [] }],
    ['a consumer that accepts what there is not', { accept: ['yaml'] }],
    ['a queue twice', { queues: [queue, new Queue('q')] }],
    ['no queue', { queues: [] }],
    ['unlimited prefetch', { prefetchCount: 0 }],
  ])('%s', (_what, options) => {
    const { connection } = fakeSetting();
    const definition = { name: 'C', queues: [queue], handle: () => undefined, ...options };
    expect(() => new ConsumerLoop(connection, definition)).toThrow(
      expect.toSatisfy(isConfigurationError),
    );
  });

  it('a producer without a connection', () => {
    expect(() => new Producer(undefined as never)).toThrow(expect.toSatisfy(isConfigurationError));
  });

  it('declaring, or running something under ensure, on a closed connection', async () => {
    const { connection } = fakeSetting();
    await connection.close();
    await expect(connection.declare(queue)).rejects.toSatisfy(isConnectionClosedError);
    await expect(connection.ensure(null, () => 1)()).rejects.toSatisfy(isConnectionClosedError);
  });
});
