import { describe, expect, it } from 'vitest';
import { confirms, publishingSetting } from './fakes/publishing.js';

const outcomes = (all: readonly { outcome: string; error?: unknown }[]) =>
  all.map(({ outcome, error }) => (error instanceof Error ? error.name : outcome));

describe('a full outbox', () => {
  it('rejects at once what is too many, when told to', async () => {
    const setting = publishingSetting({ producer: { maxMessages: 2, whenFull: 'reject' } });
    const all = ['1', '2', '3'].map((key) => setting.publish(key));
    await setting.settle();
    expect(outcomes(all)).toEqual(['pending', 'pending', 'OutboxFullError']);
    expect(all[2]?.error).toMatchObject({ outcome: 'not-sent' });
  });

  it('lets as many again wait, by default, and rejects what is beyond', async () => {
    const setting = publishingSetting({ producer: { maxMessages: 2 } });
    const all = ['1', '2', '3', '4', '5'].map((key) => setting.publish(key));
    await setting.settle();
    expect(outcomes(all)).toEqual([...Array(4).fill('pending'), 'OutboxFullError']);
    setting.channel.ack(4, true);
    await setting.settle();
    expect(outcomes(all.slice(0, 4))).toEqual(Array(4).fill('resolved'));
    expect(setting.channel.keys).toEqual(['1', '2', '3', '4']);
  });

  it('counts bytes, those of headers too', async () => {
    const setting = publishingSetting({ producer: { maxBytes: 5_000, whenFull: 'reject' } });
    const all = [
      setting.publish('1', {}, Buffer.alloc(1_500)),
      setting.publish('2', { headers: { h: 'x'.repeat(1_000) } }),
      setting.publish('3', {}, Buffer.alloc(1_500)),
    ];
    await setting.settle();
    expect(outcomes(all)).toEqual(['pending', 'pending', 'OutboxFullError']);
  });

  it('has room again with each that settles, however it does', async () => {
    const setting = publishingSetting({ producer: { maxMessages: 1, whenFull: 'reject' } });
    const controller = new AbortController();
    const first = setting.publish('1', { signal: controller.signal });
    controller.abort();
    const second = setting.publish('2', { timeout: 10 });
    await setting.pass(10);
    const third = setting.publish('3');
    await setting.settle();
    setting.channel.return(2);
    const fourth = setting.publish('4');
    await setting.settle();
    expect(outcomes([first, second, third, fourth])).toEqual([
      'PublishError',
      'PublishError',
      'UnroutableError',
      'pending',
    ]);
  });

  it('bears 30,000 publishes in one turn without a broker, and holds what it may', async () => {
    const setting = publishingSetting();
    setting.transport.brokers['a'] = setting.transport.brokers['b'] = 'dead';
    const all = Array.from({ length: 30_000 }, () => setting.publish('q'));
    await setting.settle();
    expect(all.filter(({ outcome }) => outcome === 'pending')).toHaveLength(20_000);
    expect(setting.clock.pending).toBeLessThan(5);
    setting.transport.brokers['a'] = 'up';
    setting.broker.answer = confirms;
    await setting.pass(100);
    await setting.settle(100);
    expect(all.filter(({ outcome }) => outcome === 'resolved')).toHaveLength(20_000);
  }, 30_000);
});

describe('the window', () => {
  it('limits what is unconfirmed, and moves on with each confirm', async () => {
    const setting = publishingSetting({ producer: { window: 2 } });
    for (const key of ['1', '2', '3', '4']) setting.publish(key);
    await setting.settle();
    expect(setting.channel.keys).toEqual(['1', '2']);
    setting.channel.ack(1);
    expect(setting.channel.keys).toEqual(['1', '2', '3']);
    setting.channel.ack(3, true);
    expect(setting.channel.keys).toEqual(['1', '2', '3', '4']);
  });

  it('does not let go of the body of what is on the wire before it settles, and does after', async () => {
    const setting = publishingSetting({ producer: { confirmTimeout: 60_000 } });
    const seen = setting.publish('q', { timeout: 10 }, 'body');
    await setting.settle();
    await setting.pass(10);
    setting.transport.latest.drop();
    await setting.settle();
    expect(seen.error).toMatchObject({ outcome: 'unknown' });
    expect(setting.sent).toHaveLength(1);
  });
});

describe('a broker that does not read, or blocks', () => {
  it('is written no more to until there is room, and deadlines run meanwhile', async () => {
    const setting = publishingSetting({ producer: { window: 10 } });
    const first = setting.publish('1');
    await setting.settle();
    setting.channel.writable = false;
    const [second, third, fourth] = ['2', '3', '4'].map((key) =>
      setting.publish(key, { timeout: key === '3' ? 50 : 1_000 }),
    );
    await setting.pass(50);
    expect(setting.channel.keys).toEqual(['1', '2']);
    expect(third?.error).toMatchObject({ outcome: 'not-sent' });
    setting.channel.drain();
    setting.channel.ack(3, true);
    await setting.settle();
    expect(outcomes([first, second, fourth].flatMap((seen) => seen ?? []))).toEqual(
      Array(3).fill('resolved'),
    );
  });

  it('is written nothing while it blocks, is not given up for its silence, and gets the rest after', async () => {
    const setting = publishingSetting({ producer: { confirmTimeout: 100 } });
    const first = setting.publish('1');
    await setting.settle();
    setting.transport.latest.block('memory');
    const waiting = setting.publish('2');
    await setting.pass(350);
    setting.transport.latest.block(undefined);
    await setting.pass(99);
    setting.channel.ack(1);
    await setting.settle();
    expect([setting.channels.length, setting.channel.keys]).toEqual([1, ['1', '2']]);
    setting.channel.ack(2);
    await setting.settle();
    expect([first.outcome, waiting.outcome]).toEqual(['resolved', 'resolved']);
  });

  it('that blocks from the start is sent nothing, and what waits ends by its deadline', async () => {
    const setting = publishingSetting();
    await setting.connection.ensureConnection();
    setting.transport.latest.block('disk');
    const seen = setting.publish('q', { timeout: 500 });
    await setting.pass(500);
    expect(seen.error).toMatchObject({ outcome: 'not-sent' });
    expect(setting.sent).toEqual([]);
  });

  it('that blocks and then dies loses nothing', async () => {
    const setting = publishingSetting({ broker: confirms });
    await setting.connection.ensureConnection();
    setting.transport.latest.block('memory');
    const seen = setting.publish('q');
    await setting.settle();
    setting.transport.latest.drop();
    await setting.settle();
    expect(seen.outcome).toBe('resolved');
  });
});
