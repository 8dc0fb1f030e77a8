import { describe, expect, it } from 'vitest';
import { confirms, publishingSetting } from './fakes/publishing.js';

describe('a nacked publish', () => {
  it('is tried again on a new channel after a backoff', async () => {
    const setting = publishingSetting();
    const seen = setting.publish('q');
    await setting.settle();
    setting.channel.nack(1);
    await setting.pass(99);
    expect(setting.sent).toHaveLength(1);
    setting.broker.answer = confirms;
    await setting.pass(1);
    await setting.settle();
    expect([setting.channels.length, seen.value?.attempts]).toEqual([2, 2]);
    expect(seen.value?.redeliverySuspect).toBe(false);
  });

  it('ends as nacked when its retries are used up', async () => {
    const setting = publishingSetting({ broker: ({ on, tag }) => on.nack(tag) });
    const seen = setting.publish('q');
    await setting.pass(29_000);
    expect(seen.error).toMatchObject({ outcome: 'nacked' });
    expect(setting.sent).toHaveLength(11);
    await setting.pass(10_000);
    expect(setting.clock.pending).toBe(0);
  });

  it('ends at once when it may be sent only once', async () => {
    const setting = publishingSetting({ broker: ({ on, tag }) => on.nack(tag) });
    const seen = setting.publish('q', { republish: false });
    await setting.settle();
    expect(seen.error).toMatchObject({ outcome: 'nacked' });
  });

  it('ends as unknown when it had been lost before without an answer', async () => {
    const setting = publishingSetting({ producer: { nackRetries: 0 } });
    const seen = setting.publish('q');
    await setting.settle();
    setting.transport.latest.drop();
    await setting.settle();
    setting.channel.nack(1);
    await setting.settle();
    expect(seen.error).toMatchObject({ outcome: 'unknown' });
  });

  it('for ever slows no other queue, and leaves the channel that all others use alone', async () => {
    const setting = publishingSetting({
      broker: ({ on, tag, routingKey }) => (routingKey === 'full' ? on.nack(tag) : on.ack(tag)),
    });
    const full = [setting.publish('full'), setting.publish('full')];
    await setting.settle();
    const [main] = setting.channels;
    for (let round = 0; round < 200; round += 1) {
      const healthy = setting.publish('healthy');
      await setting.settle(3);
      expect(healthy.outcome).toBe('resolved');
      await setting.pass(140);
    }
    expect(full.map(({ error }) => error)).toMatchObject([
      { outcome: 'nacked' },
      { outcome: 'nacked' },
    ]);
    expect(main?.sent.filter(({ routingKey }) => routingKey === 'healthy')).toHaveLength(200);
  }, 30_000);

  it('holds back what comes after it to the same queue, which then goes in order', async () => {
    const setting = publishingSetting();
    setting.publish('q', { messageId: '1' });
    await setting.settle();
    setting.channel.nack(1);
    for (const messageId of ['2', '3', '4']) setting.publish('q', { messageId });
    await setting.pass(50);
    expect(setting.sent).toHaveLength(1);
    setting.broker.answer = confirms;
    await setting.pass(50);
    await setting.settle();
    const ids = setting.sent.map(({ properties }) => properties.messageId);
    expect(ids).toEqual(['1', '1', '2', '3', '4']);
  });

  it('on a channel that is nacked for good recovers with all others on a new channel', async () => {
    // As RabbitMQ 3.10 does after the death of a node: the first channel stays nacked until that node is back.
    const setting = publishingSetting({
      broker: ({ on, tag }) => (on === setting.channels[0] ? on.nack(tag) : on.ack(tag)),
      producer: { window: 20 },
    });
    const all = Array.from({ length: 100 }, () => setting.publish('q'));
    await setting.pass(500);
    await setting.settle(50);
    all.push(setting.publish('q'));
    await setting.settle();
    expect(all.filter(({ outcome }) => outcome !== 'resolved')).toEqual([]);
    const [stuck] = setting.channels;
    expect(stuck?.sent).toHaveLength(20);
    expect(stuck?.open).toBe(false);
  });

  it('on a channel that is nacked for good recovers also when the next channels are stuck as well', async () => {
    const setting = publishingSetting({
      broker: ({ on, tag }) => (setting.channels.indexOf(on) < 3 ? on.nack(tag) : on.ack(tag)),
    });
    const all = Array.from({ length: 30 }, (_, index) => setting.publish(`q${index % 3}`));
    await setting.pass(2_000);
    await setting.settle(50);
    expect(all.filter(({ outcome }) => outcome !== 'resolved')).toEqual([]);
  });

  it('that a new channel mended has its old channel left alone until it can be replaced', async () => {
    const setting = publishingSetting();
    setting.publish('slow');
    const seen = setting.publish('q');
    await setting.settle();
    const [old] = setting.channels;
    old?.nack(2);
    await setting.pass(100);
    setting.channel.ack(1);
    setting.publish('later');
    await setting.settle();
    expect([seen.outcome, old?.open, old?.keys]).toEqual(['resolved', true, ['slow', 'q']]);
    old?.ack(1);
    await setting.settle();
    expect([old?.open, setting.channel.keys]).toEqual([false, ['later']]);
  });

  it('waits between channels that are closed as soon as they are open', async () => {
    const setting = publishingSetting({ connection: { intervalStart: 500, intervalStep: 500 } });
    setting.publish('q');
    await setting.settle();
    setting.channel.nack(1);
    setting.transport.latest.closesAtOnce = true;
    await setting.pass(3_000);
    // At 100 ms, and then at intervals that grow: 500, 1,000, 1,500.
    expect(setting.channels.length).toBeLessThanOrEqual(5);
    expect(setting.channels.length).toBeGreaterThan(2);
  });

  it('that is given up while it waits leaves no timer', async () => {
    const setting = publishingSetting();
    const controller = new AbortController();
    const seen = setting.publish('q', { signal: controller.signal });
    await setting.settle();
    setting.channel.nack(1);
    controller.abort();
    await setting.settle();
    expect(seen.error).toMatchObject({ outcome: 'nacked' });
    expect(setting.clock.pending).toBe(0);
  });

  it('goes in line again on the next connection', async () => {
    const setting = publishingSetting();
    const seen = setting.publish('q');
    await setting.settle();
    setting.channel.nack(1);
    setting.broker.answer = confirms;
    setting.transport.latest.drop();
    await setting.settle();
    expect([seen.outcome, setting.clock.now()]).toEqual(['resolved', 0]);
  });

  it('waits while the broker blocks', async () => {
    const setting = publishingSetting();
    const seen = setting.publish('q');
    await setting.settle();
    setting.channel.nack(1);
    setting.transport.latest.block('memory');
    await setting.pass(1_000);
    expect(setting.sent).toHaveLength(1);
    setting.broker.answer = confirms;
    setting.transport.latest.block(undefined);
    await setting.pass(1);
    await setting.settle();
    expect(seen.outcome).toBe('resolved');
  });

  it('does not run hot when no channel is to be had for it', async () => {
    const setting = publishingSetting();
    setting.publish('q');
    await setting.settle();
    const { latest } = setting.transport;
    let asked = 0;
    latest.openConfirmChannel = () => {
      asked += 1;
      return Promise.reject(new Error('no more channels'));
    };
    setting.channel.nack(1);
    await setting.pass(1_000);
    expect(asked).toBeGreaterThan(5);
    expect(asked).toBeLessThan(100);
  });
});
