import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { Dispatcher } from '../../lib/failover/dispatcher.js';
import type { DeliveringChannel } from '../../lib/failover/message.js';
import { Message } from '../../lib/failover/message.js';
import { REPUBLISHED_HEADER } from '../../lib/failover/outbox-entry.js';
import { deferred, orders } from './fakes/consumer-setting.js';
import { settled } from './fakes/fake-clock.js';
import type { FakeMessage } from './fakes/fake-deliveries.js';
import { delivery } from './fakes/fake-deliveries.js';

const channel: DeliveringChannel = {
  loss: undefined,
  signal: new AbortController().signal,
  accept: ['json'],
  ack: () => undefined,
  reject: () => undefined,
  handBack: () => undefined,
};

function dispatching(concurrency: number) {
  const begun: number[] = [];
  const dropped: number[] = [];
  const running = new Map<number, () => void>();
  const tagOf = (message: Message): number => message.deliveryInfo.deliveryTag;
  const dispatcher = new Dispatcher({
    concurrency,
    handle: (message) => {
      begun.push(tagOf(message));
      const { promise, resolve } = deferred();
      running.set(tagOf(message), resolve);
      return promise;
    },
    drop: (message) => dropped.push(tagOf(message)),
  });
  const push = (tag: number, message?: FakeMessage): void =>
    dispatcher.push(new Message(delivery(tag, message), channel, orders));
  const finish = async (tag: number): Promise<void> => {
    await settled();
    running.get(tag)?.();
    await settled();
  };
  return { dispatcher, begun, dropped, push, finish };
}

describe('the order of handlers', () => {
  it('is that of the deliveries, and none is called in the stack that delivers', async () => {
    const { begun, push } = dispatching(10);
    for (const tag of [1, 2, 3]) push(tag);
    expect(begun).toEqual([]);
    await settled();
    expect(begun).toEqual([1, 2, 3]);
  });

  it('never has more at once than the concurrency, and gives the next its turn when one has settled', async () => {
    const { dispatcher, begun, push, finish } = dispatching(2);
    for (const tag of [1, 2, 3, 4]) push(tag);
    await settled();
    expect(begun).toEqual([1, 2]);
    expect(dispatcher.running).toBe(2);
    await finish(2);
    expect(begun).toEqual([1, 2, 3]);
    await finish(1);
    await finish(3);
    expect(begun).toEqual([1, 2, 3, 4]);
  });

  it('is idle when none runs any more', async () => {
    const { dispatcher, push, finish } = dispatching(2);
    await dispatcher.idle();
    push(1);
    push(2);
    let idle = false;
    void dispatcher.idle().then(() => {
      idle = true;
    });
    await finish(1);
    expect(idle).toBe(false);
    await finish(2);
    expect(idle).toBe(true);
  });
});

describe('suspects', () => {
  it('wait until they may run, and then come first; all others run meanwhile', async () => {
    const { dispatcher, begun, push, finish } = dispatching(1);
    const earlier = deferred();
    dispatcher.holdSuspects(earlier.promise);
    push(1, { redelivered: true });
    push(2, { headers: { [REPUBLISHED_HEADER]: true } });
    push(3);
    push(4);
    await settled();
    expect(begun).toEqual([3]);
    earlier.resolve();
    await finish(3);
    await finish(1);
    await finish(2);
    expect(begun).toEqual([3, 1, 2, 4]);
  });

  it('are nothing special where no earlier handler runs', async () => {
    const { begun, push } = dispatching(1);
    push(1, { redelivered: true });
    await settled();
    expect(begun).toEqual([1]);
  });
});

describe('after its end', () => {
  it('drops what no handler was called for, suspects too, and calls none any more', async () => {
    const { dispatcher, begun, dropped, push, finish } = dispatching(1);
    const earlier = deferred();
    dispatcher.holdSuspects(earlier.promise);
    push(1);
    push(2);
    push(3, { redelivered: true });
    await settled();
    dispatcher.end();
    expect(dropped).toEqual([3, 2]);
    earlier.resolve();
    await finish(1);
    expect(begun).toEqual([1]);
    expect(dispatcher.running).toBe(0);
  });

  it('drops what was delivered in the very turn of the end', async () => {
    const { dispatcher, begun, dropped, push } = dispatching(1);
    push(1);
    dispatcher.end();
    await settled();
    expect(begun).toEqual([]);
    expect(dropped).toEqual([1]);
    await dispatcher.idle();
  });
});

describe('the async context of a delivery', () => {
  const context = new AsyncLocalStorage<string>();

  it('reaches its handler, also when that had to wait for the handler of another delivery', async () => {
    const seen: (string | undefined)[] = [];
    const { promise, resolve } = deferred();
    const dispatcher = new Dispatcher({
      concurrency: 1,
      handle: async () => {
        seen.push(context.getStore());
        await promise;
        seen.push(context.getStore());
      },
      drop: () => undefined,
    });
    const push = (): void => dispatcher.push(new Message(delivery(1), channel, orders));
    context.run('first', push);
    context.run('second', push);
    push();
    await settled();
    // Who ends the wait must not leave its own context to the next.
    context.run('somebody else', resolve);
    await settled();
    expect(seen).toEqual(['first', 'first', 'second', 'second', undefined, undefined]);
  });

  it('reaches the handler of a suspect that was held', async () => {
    const seen: (string | undefined)[] = [];
    const earlier = deferred();
    const dispatcher = new Dispatcher({
      concurrency: 1,
      handle: async () => void seen.push(context.getStore()),
      drop: () => undefined,
    });
    dispatcher.holdSuspects(earlier.promise);
    context.run('held', () =>
      dispatcher.push(new Message(delivery(1, { redelivered: true }), channel, orders)),
    );
    context.run('somebody else', earlier.resolve);
    await settled();
    expect(seen).toEqual(['held']);
  });
});
