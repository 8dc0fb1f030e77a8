import { getEventListeners } from 'node:events';
import { AsyncLocalStorage } from 'node:async_hooks';
import { EMPTY, Observable, of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Queue } from '../../lib/amqp/queue.js';
import { isSerializationError } from '../../lib/errors.js';
import type { Message } from '../../lib/failover/message.js';
import { consumerSetting, deferred, never } from './fakes/consumer-setting.js';
import { settled } from './fakes/fake-clock.js';
import type { FakeMessage } from './fakes/fake-deliveries.js';

const failing = () => {
  throw new Error('no');
};

const rejecting = (reason: unknown) => {
  const { promise, reject } = deferred();
  reject(reason);
  return promise;
};

describe('a handler that settles', () => {
  it('gets body and message, and acks when it returns or resolves', async () => {
    const seen: unknown[] = [];
    const setting = consumerSetting({
      handle: (body, message) => {
        seen.push(body, message.deliveryInfo.deliveryTag);
        return message.deliveryInfo.deliveryTag === 1 ? undefined : Promise.resolve('ignored');
      },
    });
    const consumer = await setting.started();
    consumer.deliver({ content: '{"id":1}' });
    consumer.deliver({ content: '0' });
    await settled();
    expect(seen).toEqual([{ id: 1 }, 1, 0, 2]);
    expect(consumer.settled).toEqual(['ack 1', 'ack 2']);
  });

  it.each(['ack', 'reject', 'requeue'] as const)(
    'is not acked for it when it has settled the message with %s itself',
    async (verb) => {
      const setting = consumerSetting({ handle: (_body, message) => message[verb]() });
      const consumer = await setting.started();
      consumer.deliver();
      await settled();
      expect(consumer.settled).toHaveLength(1);
      expect(consumer.unsettled).toBe(0);
    },
  );

  it.each([
    ['an Observable', of(1, 2), false],
    ['an Observable without a value', EMPTY, false],
    ['a promise of an Observable', of(1), true],
  ])(
    'may return %s: the message is acked when that completes',
    async (_what, values, inPromise) => {
      let subscriptions = 0;
      const counted = new Observable((subscriber) => {
        subscriptions += 1;
        return values.subscribe(subscriber);
      });
      const setting = consumerSetting({
        handle: () => (inPromise ? Promise.resolve(counted) : counted),
      });
      const consumer = await setting.started();
      consumer.deliver();
      await settled();
      expect([subscriptions, ...consumer.settled]).toEqual([1, 'ack 1']);
    },
  );

  it('may return an Observable that fails: the message goes back', async () => {
    const setting = consumerSetting({ handle: () => throwError(() => new Error('no')) });
    const consumer = await setting.started();
    consumer.deliver();
    await setting.clock.advance(1_000);
    expect(consumer.settled).toEqual(['reject 1 requeue']);
  });

  it('settles the message itself with ackMode manual', async () => {
    let kept: Message | undefined;
    const handle = (_body: unknown, message: Message) => {
      kept = message;
    };
    const setting = consumerSetting({ ackMode: 'manual', handle });
    const consumer = await setting.started();
    consumer.deliver();
    await settled();
    expect(consumer.settled).toEqual([]);
    expect(kept?.ack()).toBe('sent');
    expect(consumer.settled).toEqual(['ack 1']);
  });

  it('may settle twice: the second is told to it, goes into the log, and is never sent', async () => {
    const setting = consumerSetting({
      handle: (_body, message) => {
        message.ack();
        message.ack();
      },
    });
    const consumer = await setting.started();
    consumer.deliver();
    await settled();
    expect(consumer.settled).toEqual(['ack 1']);
    expect(setting.logger.lines.at(-1)).toContain('it is acked already');
    expect(setting.loop.state.status).toBe('consuming');
  });
});

describe('a handler that fails', () => {
  const thrown = {
    'throws an error': failing,
    'rejects with an error': () => Promise.reject(new Error('no')),
    'rejects with undefined': () => rejecting(undefined),
    'rejects with what has no text': () => rejecting(Object.create(null)),
    'throws an error whose message throws': () => {
      throw Object.defineProperty(new Error(), 'message', { get: failing });
    },
  };
  it.each(Object.entries(thrown))(
    '%s: requeued after the backoff, not before',
    async (_, handle) => {
      const setting = consumerSetting({ handle });
      const { clock, logger, loop } = setting;
      const consumer = await setting.started();
      consumer.deliver();
      await clock.advance(999);
      expect(consumer.settled).toEqual([]);
      expect(loop.held).toBe(1);
      await clock.advance(1);
      expect(consumer.settled).toEqual(['reject 1 requeue']);
      expect(loop.held).toBe(0);
      expect(logger.lines.filter((line) => line.includes('the handler of a message'))).toHaveLength(
        1,
      );
    },
  );

  it('fails for its own message only, also with ackMode manual', async () => {
    const setting = consumerSetting({
      ackMode: 'manual',
      handle: (body, message) => (body === 0 ? failing() : message.ack()),
    });
    const consumer = await setting.started();
    consumer.deliver({ content: '0' });
    consumer.deliver({ content: '1' });
    await settled();
    expect(consumer.settled).toEqual(['ack 2']);
    await setting.clock.advance(1_000);
    expect(consumer.settled).toEqual(['ack 2', 'reject 1 requeue']);
  });

  it('is only logged when it has settled the message before', async () => {
    const setting = consumerSetting({
      handle: (_body, message) => {
        message.reject();
        failing();
      },
    });
    const consumer = await setting.started();
    consumer.deliver();
    await settled();
    expect(consumer.settled).toEqual(['reject 1']);
    expect(setting.loop.held).toBe(0);
    expect(setting.logger.errors).toHaveLength(1);
  });

  it('may settle while it is held', async () => {
    let kept: Message | undefined;
    const setting = consumerSetting({
      handle: (_body, message) => {
        kept = message;
        failing();
      },
    });
    const consumer = await setting.started();
    consumer.deliver();
    await settled();
    expect(kept?.ack()).toBe('sent');
    await setting.clock.advance(60_000);
    expect(consumer.settled).toEqual(['ack 1']);
  });

  it('never returns: it keeps its turn and its message, and nobody else waits for it', async () => {
    const handle = (body: unknown) => (body === 0 ? never() : undefined);
    const setting = consumerSetting({ handle, prefetchCount: 2 });
    const consumer = await setting.started();
    consumer.deliver({ content: '0' });
    consumer.deliver();
    consumer.deliver();
    await setting.clock.advance(60_000);
    expect(consumer.settled).toEqual(['ack 2', 'ack 3']);
  });

  it('says so when every slot of the prefetch is held', async () => {
    const setting = consumerSetting({ handle: failing, prefetchCount: 2 });
    const consumer = await setting.started();
    consumer.deliver();
    await settled();
    expect(setting.logger.lines.join()).not.toContain('every slot');
    consumer.deliver();
    await settled();
    expect(setting.loop.held).toBe(2);
    expect(setting.loop.state).toMatchObject({ status: 'consuming', stalled: true });
    expect(setting.logger.lines.filter((line) => line.includes('every slot'))).toHaveLength(1);
  });

  it('leaves no listener for a message that went back', async () => {
    const signals: AbortSignal[] = [];
    const setting = consumerSetting({
      handle: (_body, message) => {
        signals.push(message.signal);
        return failing();
      },
    });
    const consumer = await setting.started();
    const listening = () => getEventListeners(signals[0] as AbortSignal, 'abort').length;
    for (let n = 0; n < 3; n += 1) {
      consumer.deliver();
      await setting.clock.advance(60_000);
    }
    expect(consumer.settled).toHaveLength(3);
    expect(listening()).toBe(0);
  });

  it('leaves no timer for a message whose channel is gone', async () => {
    const setting = consumerSetting({ handle: failing });
    const consumer = await setting.started();
    consumer.deliver();
    await settled();
    const { pending } = setting.clock;
    consumer.channel.closeBy(541);
    expect(setting.loop.held).toBe(0);
    expect(setting.clock.pending).toBeLessThan(pending);
    await setting.clock.advance(60_000);
    expect(consumer.settled).toEqual([]);
  });
});

describe('the backoff of a handler that fails', () => {
  /** How long the same message is held each time it comes. */
  async function holds(messages: readonly FakeMessage[], handle: () => unknown = failing) {
    const setting = consumerSetting({ handle, backoffStart: 100, backoffMax: 1_000 });
    const consumer = await setting.started();
    const found: number[] = [];
    for (const message of messages) {
      const before = setting.clock.now();
      consumer.deliver(message);
      await settled();
      while (consumer.unsettled > 0) await setting.clock.advance(50);
      found.push(setting.clock.now() - before);
    }
    return found;
  }
  const counted = (count: unknown): FakeMessage => ({
    headers: { 'x-delivery-count': count },
    redelivered: true,
  });

  it('grows by the count of the broker, up to a maximum', async () => {
    expect(await holds([{}, ...[1, 2, 3, 4, 20].map(counted)])).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
  });

  it('grows by message id where the broker does not count', async () => {
    const again: FakeMessage = { messageId: 'm', redelivered: true };
    const other: FakeMessage = { messageId: 'n' };
    expect(await holds([{ messageId: 'm' }, again, again, other, again])).toEqual([
      100, 200, 400, 100, 800,
    ]);
  });

  it('is the longest where nobody can tell how often it was tried', async () => {
    expect(await holds([{}, { redelivered: true }])).toEqual([100, 1_000]);
  });

  it('begins anew after a success', async () => {
    let left = 2;
    const handle = () => {
      left -= 1;
      if (left !== 0) throw new Error('no');
    };
    const same: FakeMessage = { messageId: 'm' };
    expect(await holds([same, same, same], handle)).toEqual([100, 0, 100]);
  });

  it.each([-1_000, Number.NaN, 'many', null, {}, -0.5])(
    'is not shortened by a count of %s, which a publisher may have written',
    async (count) => {
      const [held = 0] = await holds([counted(count)]);
      expect(held).toBeGreaterThanOrEqual(100);
    },
  );

  it('is not kept short by a constant count of a publisher', async () => {
    const forged: FakeMessage = { ...counted(0), messageId: 'm' };
    expect(await holds([forged, forged, forged])).toEqual([100, 200, 400]);
  });
});

describe('a message that cannot be decoded', () => {
  const dead = new Queue('orders', { deadLetterExchange: 'dead' });
  const broken: FakeMessage = { content: '{' };

  it('is rejected when the declaration of its queue names a dead-letter exchange', async () => {
    const handled: unknown[] = [];
    const setting = consumerSetting({ queues: [dead], handle: (body) => handled.push(body) });
    const consumer = await setting.started();
    consumer.deliver(broken);
    consumer.deliver();
    await settled();
    expect(consumer.settled.toSorted()).toEqual(['ack 2', 'reject 1']);
    expect(handled).toEqual([1]);
    expect(setting.logger.lines.join()).toContain('cannot be read');
  });

  it('is requeued after a growing backoff when it would be dropped', async () => {
    const setting = consumerSetting();
    const consumer = await setting.started();
    consumer.deliver({ ...broken, headers: { 'x-delivery-count': 2 } });
    await setting.clock.advance(3_999);
    expect(consumer.settled).toEqual([]);
    await setting.clock.advance(1);
    expect(consumer.settled).toEqual(['nack 1 requeue']);
  });

  it('is dropped, or kept, when the option undecodable says so', async () => {
    const dropping = consumerSetting({ undecodable: 'reject' });
    const first = await dropping.started();
    first.deliver(broken);
    await settled();
    expect(first.settled).toEqual(['reject 1']);
    const keeping = consumerSetting({ undecodable: 'requeue', queues: [dead] });
    const second = await keeping.started();
    second.deliver(broken);
    await keeping.clock.advance(1_000);
    expect(second.settled).toEqual(['nack 1 requeue']);
  });

  it('is one too when its content type is not accepted', async () => {
    const setting = consumerSetting({ queues: [dead], accept: ['json'] });
    const consumer = await setting.started();
    consumer.deliver({ contentType: 'text/plain', content: 'hello' });
    consumer.deliver({ contentType: 'application/x-yaml', content: 'a: 1' });
    consumer.deliver();
    await settled();
    expect(consumer.settled.toSorted()).toEqual(['ack 3', 'reject 1', 'reject 2']);
  });

  it('is told to onDecodeError, which may settle it', async () => {
    const told: unknown[] = [];
    const setting = consumerSetting({
      queues: [dead],
      hooks: {
        onDecodeError: async (message, error) => {
          told.push(isSerializationError(error), message.body.toString());
          message.ack();
        },
      },
    });
    const consumer = await setting.started();
    consumer.deliver(broken);
    await settled();
    expect(told).toEqual([true, '{']);
    expect(consumer.settled).toEqual(['ack 1']);
  });

  it('is settled all the same when onDecodeError throws', async () => {
    const setting = consumerSetting({ queues: [dead], hooks: { onDecodeError: failing } });
    const consumer = await setting.started();
    consumer.deliver(broken);
    await settled();
    expect(consumer.settled).toEqual(['reject 1']);
  });
});

describe('prefetch and concurrency', () => {
  it('are 10 for each queue, and as many handlers', async () => {
    const setting = consumerSetting({ handle: never, settleTimeout: 0 });
    const consumer = await setting.started();
    expect(setting.transport.latest.calls).toContain('prefetch 10');
    for (let i = 0; i < 11; i += 1) consumer.deliver();
    await settled();
  });

  it('are told apart: fewer handlers than messages in hand', async () => {
    let running = 0;
    let most = 0;
    const turns = Array.from({ length: 6 }, () => deferred());
    const setting = consumerSetting({
      concurrency: 2,
      handle: async (_body, { deliveryInfo }) => {
        running += 1;
        most = Math.max(most, running);
        await turns[deliveryInfo.deliveryTag - 1]?.promise;
        running -= 1;
      },
    });
    const consumer = await setting.started();
    for (let i = 0; i < turns.length; i += 1) consumer.deliver();
    for (const { resolve } of turns) {
      await settled();
      resolve();
    }
    await settled();
    expect(most).toBe(2);
    expect(consumer.settled).toHaveLength(6);
  });

  it('keep the slot of a held message in the prefetch, but not in the concurrency', async () => {
    const handle = (body: unknown) => (body === 0 ? failing() : undefined);
    const setting = consumerSetting({ handle, concurrency: 1 });
    const consumer = await setting.started();
    consumer.deliver({ content: '0' });
    consumer.deliver();
    await settled();
    expect(consumer.settled).toEqual(['ack 2']);
    expect(consumer.unsettled).toBe(1);
  });
});

it('hands the async context in which it was delivered to the handler, and to no other', async () => {
  const context = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const setting = consumerSetting({
    concurrency: 1,
    handle: async () => {
      await Promise.resolve();
      seen.push(context.getStore());
    },
  });
  const consumer = await context.run('start', () => setting.started());
  context.run('span 1', () => consumer.deliver());
  context.run('span 2', () => consumer.deliver());
  consumer.deliver();
  await settled();
  expect(seen).toEqual(['span 1', 'span 2', undefined]);
});

it('hands a message back whose router throws what is no Error', async () => {
  const setting = consumerSetting({
    handle: undefined,
    route: () => {
      // eslint-disable-next-line typescript/only-throw-error
      throw undefined;
    },
  });
  const consumer = await setting.started();
  consumer.deliver();
  await setting.clock.advance(1_000);
  expect(consumer.settled).toEqual(['nack 1 requeue']);
});
