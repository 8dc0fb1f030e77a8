import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from 'amqplib';
import { MemoryBroker } from 'nestjs-failover/testing';
import type { ControlFunction } from 'nestjs-failover/testing';

async function useBroker(): Promise<MemoryBroker> {
  const broker = await MemoryBroker.start();
  onTestFinished(() => broker.close());
  return broker;
}

describe('until', () => {
  it('wants a function', async () => {
    const broker = await useBroker();
    await expect(broker.until(true as never)).rejects.toThrow(
      'until: the first argument must be a function',
    );
  });

  it.each([
    ['a promise', () => Promise.resolve(false)],
    ['undefined', () => undefined],
    ['1', () => 1],
  ])('wants true or false, and not %s', async (given, holds) => {
    const broker = await useBroker();
    await expect(broker.until(holds as never)).rejects.toThrow(
      `until: its function must return true or false, and has returned ${given}.`,
    );
  });

  it.each([Number.NaN, -1, '5'])('wants a time, and not %s', async (timeout) => {
    const broker = await useBroker();
    await expect(broker.until(() => true, { timeout: timeout as never })).rejects.toThrow(
      `until: "timeout" must be milliseconds, and is ${timeout}.`,
    );
  });
});

describe('control', () => {
  it('wants a method that there is', async () => {
    const broker = await useBroker();
    expect(() => broker.control('basic.publsh' as never, () => 'drop')).toThrow(
      /there is no method "basic.publsh". Known: connection.start, .*basic.publish/u,
    );
  });

  it('wants a function', async () => {
    const broker = await useBroker();
    expect(() => broker.control('basic.publish', 'drop' as never)).toThrow(
      'control: the second argument must be a function of the method.',
    );
  });

  it('wants one of two senders', async () => {
    const broker = await useBroker();
    expect(() => broker.control('basic.ack', () => 'drop', { from: 'server' as never })).toThrow(
      'control: "from" must be client or broker, and is server.',
    );
  });

  it.each([
    ['"explode"', 'explode'],
    ['{"close":403}', { close: 403 }],
    ['{"delay":"5"}', { delay: '5' }],
    ['a promise', Promise.resolve('drop')],
  ])('wants something that can be done, and not %s', async (given, action) => {
    const broker = await useBroker();
    const fault = broker.control('queue.declare', (() => action) as unknown as ControlFunction);
    const model = await connect(broker.url());
    model.on('error', () => undefined);
    const channel = await model.createChannel();
    channel.on('error', () => undefined);
    await expect(channel.assertQueue('q')).rejects.toThrow(/closed|ended/u);
    await expect(fault.happened).rejects.toThrow(
      `control('queue.declare'): its function has returned ${given}.`,
    );
  });
});
