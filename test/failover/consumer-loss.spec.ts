import { describe, expect, it } from 'vitest';
import type { Message } from '../../lib/failover/message.js';
import { consumerSetting, deferred, never } from './fakes/consumer-setting.js';
import { settled } from './fakes/fake-clock.js';
import type { FakeMessage } from './fakes/fake-deliveries.js';

const redelivered: FakeMessage = { content: '"again"', redelivered: true };

/** A consumer whose first handler runs until told, and which writes down what it begins with. */
function running(definition: Parameters<typeof consumerSetting>[0] = {}) {
  const first = deferred();
  const begun: unknown[] = [];
  const messages: Message[] = [];
  const setting = consumerSetting({
    handle: (body, message) => {
      begun.push(body);
      messages.push(message);
      return body === 'first' ? first.promise : undefined;
    },
    ...definition,
  });
  return { setting, first, begun, messages };
}

const losses = {
  'connection lost': ({ transport }: ReturnType<typeof consumerSetting>) => transport.latest.drop(),
  'channel closed': ({ consumer }: ReturnType<typeof consumerSetting>) =>
    consumer.channel.closeBy(406),
};

describe.each(Object.entries(losses))('handlers that run through a loss: %s', (_, lose) => {
  it('are told by their signal, once for all, with the loss as its reason', async () => {
    const signals: AbortSignal[] = [];
    const aborted: unknown[] = [];
    const setting = consumerSetting({
      handle: (_body, { signal }) => {
        signals.push(signal);
        return never();
      },
      settleTimeout: 10,
    });
    const consumer = await setting.started();
    for (let i = 0; i < 3; i += 1) consumer.deliver();
    await settled();
    expect(new Set(signals).size).toBe(1);
    signals[0]?.addEventListener('abort', () => aborted.push(signals[0]?.reason));
    const loss = lose(setting);
    await settled();
    expect(aborted).toEqual([loss]);
    await setting.consumingAgain();
    setting.consumer.deliver();
    await settled();
    expect(signals.at(-1)).not.toBe(signals[0]);
    expect(signals.at(-1)?.aborted).toBe(false);
  });

  it('run on, and their late ack is lost: nothing is sent, on no channel', async () => {
    const { setting, first, messages } = running();
    const before = await setting.started();
    before.deliver({ content: '"first"' });
    await settled();
    lose(setting);
    const after = await setting.consumingAgain();
    expect(messages[0]?.state).toBe('lost');
    first.resolve();
    await settled();
    expect(messages[0]?.ack()).toBe('lost');
    expect([...before.settled, ...after.settled]).toEqual([]);
  });

  it('may reject late: that is logged, and holds nothing', async () => {
    const { setting, first } = running();
    (await setting.started()).deliver({ content: '"first"' });
    await settled();
    lose(setting);
    await setting.consumingAgain();
    first.reject(new Error('aborted'));
    await settled();
    expect(setting.loop.held).toBe(0);
    expect(setting.logger.errors.map(String)).toContain('Error: aborted');
  });

  it('hold back what is redelivered or republished until they have settled; all else runs', async () => {
    const { setting, first, begun } = running();
    (await setting.started()).deliver({ content: '"first"' });
    await settled();
    lose(setting);
    const after = await setting.consumingAgain();
    after.deliver(redelivered);
    after.deliver({ content: '"copy"', headers: { 'x-republished': true } });
    after.deliver({ content: '"new"' });
    await settled();
    expect(begun).toEqual(['first', 'new']);
    first.resolve();
    await settled();
    expect(begun).toEqual(['first', 'new', 'again', 'copy']);
    expect(after.settled).toEqual(['ack 3', 'ack 1', 'ack 2']);
  });

  it('hold it back no longer than the settle timeout, counted from the loss', async () => {
    const { setting, begun } = running({ settleTimeout: 5_000 });
    (await setting.started()).deliver({ content: '"first"' });
    await settled();
    const lost = setting.clock.now();
    lose(setting);
    const after = await setting.consumingAgain();
    after.deliver(redelivered);
    await setting.clock.advance(lost + 4_999 - setting.clock.now());
    expect(begun).toEqual(['first']);
    await setting.clock.advance(1);
    expect(begun).toEqual(['first', 'again']);
  });

  it('that hang for ever do not hold it back again after the next loss', async () => {
    const { setting, begun } = running({ settleTimeout: 5_000 });
    (await setting.started()).deliver({ content: '"first"' });
    await settled();
    lose(setting);
    await setting.clock.advance(10_000);
    lose(setting);
    (await setting.consumingAgain()).deliver(redelivered);
    await settled();
    expect(begun).toEqual(['first', 'again']);
  });

  it('hold it back through two losses in a row', async () => {
    const { setting, first, begun } = running();
    (await setting.started()).deliver({ content: '"first"' });
    await settled();
    for (let turn = 0; turn < 2; turn += 1) {
      lose(setting);
      await setting.consumingAgain();
    }
    setting.consumer.deliver(redelivered);
    await settled();
    expect(begun).toEqual(['first']);
    first.resolve();
    await settled();
    expect(begun).toEqual(['first', 'again']);
  });

  it('were not begun when it came: they do not begin any more', async () => {
    const { setting, begun } = running({ concurrency: 1 });
    const consumer = await setting.started();
    consumer.deliver({ content: '"first"' });
    consumer.deliver({ content: '"second"' });
    await settled();
    consumer.deliver({ content: '"third"' });
    lose(setting);
    await setting.consumingAgain();
    expect(begun).toEqual(['first']);
  });
});

it('holds suspects back for the handlers of a cancelled session whose connection is lost later', async () => {
  const { setting, first, begun } = running();
  const before = await setting.started();
  before.deliver({ content: '"first"' });
  await settled();
  before.cancel();
  await setting.consumingAgain();
  setting.transport.latest.drop();
  (await setting.consumingAgain()).deliver(redelivered);
  await settled();
  expect(begun).toEqual(['first']);
  first.resolve();
  await settled();
  expect(begun).toEqual(['first', 'again']);
});

it('takes no ack for sent that the channel cannot send any more, and goes on', async () => {
  const results: string[] = [];
  const setting = consumerSetting({
    handle: (_body, message) => {
      results.push(message.ack());
    },
  });
  const consumer = await setting.started();
  const { channel } = consumer;
  // A channel that is closing: its loss is not known yet.
  Object.assign(channel, {
    ack: () => {
      throw new Error('the channel is closing');
    },
  });
  consumer.deliver();
  await settled();
  expect(results).toEqual(['lost']);
  expect(setting.logger.errors).toEqual([]);
  channel.closeBy();
  await setting.consumingAgain();
});

it('says nothing when many handlers listen to one signal', async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error) => warnings.push(warning);
  process.on('warning', warned);
  const setting = consumerSetting({
    prefetchCount: 50,
    handle: (_body, { signal }) => {
      signal.addEventListener('abort', () => undefined);
      throw new Error('no');
    },
  });
  const consumer = await setting.started();
  for (let i = 0; i < 50; i += 1) consumer.deliver();
  await settled();
  await settled();
  process.off('warning', warned);
  expect(warnings).toEqual([]);
});
