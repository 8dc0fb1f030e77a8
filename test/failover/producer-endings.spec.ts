import { describe, expect, it, onTestFinished } from 'vitest';
import { Exchange } from '../../lib/amqp/exchange.js';
import { confirms, publishingSetting } from './fakes/publishing.js';

describe('a publish', () => {
  it('that never left is not sent when its deadline comes, and nobody dials for it any more', async () => {
    const setting = publishingSetting();
    setting.transport.brokers['a'] = setting.transport.brokers['b'] = 'dead';
    const seen = setting.publish('q', { timeout: 50 });
    await setting.pass(49);
    expect(seen.outcome).toBe('pending');
    await setting.pass(1);
    expect(seen.error).toMatchObject({ outcome: 'not-sent' });
    expect((seen.error as Error).message).toContain('timeout of 50 ms');
    expect(setting.connection.state.status).toBe('idle');
    expect(setting.clock.pending).toBe(0);
    setting.transport.brokers['a'] = 'up';
    setting.broker.answer = confirms;
    const next = setting.publish('q');
    await setting.pass(10);
    await setting.settle();
    expect(next.outcome).toBe('resolved');
  });

  it('that was sent is unknown when its deadline comes, also when its confirm comes later', async () => {
    const setting = publishingSetting();
    const seen = setting.publish('q', { timeout: 50 });
    await setting.settle();
    await setting.pass(50);
    expect(seen.error).toMatchObject({ outcome: 'unknown' });
    setting.channel.ack(1);
    const next = setting.publish('q');
    await setting.settle();
    setting.channel.ack(2);
    await setting.settle();
    expect(next.outcome).toBe('resolved');
  });

  it('ends by its signal: not sent before, unknown after, and not at all once it was aborted before', async () => {
    const setting = publishingSetting();
    const [early, late] = [new AbortController(), new AbortController()];
    const unsent = setting.publish('q', { signal: early.signal });
    early.abort(new Error('mine'));
    const sent = setting.publish('q', { signal: late.signal });
    await setting.settle();
    late.abort();
    await setting.settle();
    const never = setting.publish('q', { signal: early.signal });
    await setting.settle();
    expect(unsent.error).toMatchObject({ outcome: 'not-sent', cause: { message: 'mine' } });
    expect(sent.error).toMatchObject({ outcome: 'unknown' });
    expect(never.error).toMatchObject({ outcome: 'not-sent', cause: { message: 'mine' } });
    expect(setting.sent).toHaveLength(1);
  });

  it('may share its signal with many, without a warning, and leaves no listener on it', async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error) => warnings.push(warning);
    process.on('warning', warned);
    onTestFinished(() => void process.off('warning', warned));
    const setting = publishingSetting({ broker: confirms });
    const controller = new AbortController();
    const { signal } = controller;
    const counted = { added: 0, removed: 0 };
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      counted.added += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      counted.removed += 1;
      remove(...args);
    };
    const all = Array.from({ length: 50 }, () => setting.publish('q', { signal }));
    await setting.settle();
    expect(all.every(({ outcome }) => outcome === 'resolved')).toBe(true);
    expect(counted).toEqual({ added: 1, removed: 1 });
    expect(warnings).toEqual([]);
  });
});

describe('closing a producer', () => {
  it('waits for what is under way, and then closes its channel', async () => {
    const setting = publishingSetting();
    const seen = setting.publish('q');
    await setting.settle();
    const closed = setting.producer.close();
    await setting.settle();
    expect(setting.channel.open).toBe(true);
    setting.channel.ack(1);
    await closed;
    expect([seen.outcome, setting.channel.open]).toEqual(['resolved', false]);
    expect(setting.clock.pending).toBe(0);
  });

  it.each<[string, (setting: ReturnType<typeof publishingSetting>) => void, string]>([
    [
      'no broker is up',
      ({ transport }) => void (transport.brokers['a'] = transport.brokers['b'] = 'dead'),
      'not-sent',
    ],
    ['a dial hangs', ({ transport }) => void (transport.brokers['a'] = 'hung'), 'not-sent'],
    ['the broker does not confirm', () => undefined, 'unknown'],
    [
      'its channel is not opened',
      ({ transport }) => {
        const connect = transport.connect.bind(transport);
        transport.connect = async (...args) =>
          Object.assign(await connect(...args), { openHangs: true });
      },
      'not-sent',
    ],
  ])('ends within its timeout while %s', async (_, prepare, outcome) => {
    const setting = publishingSetting();
    prepare(setting);
    const seen = setting.publish('q');
    await setting.settle();
    const closed = setting.producer.close({ timeout: 70 });
    await setting.pass(69);
    expect(seen.outcome).toBe('pending');
    await setting.pass(1);
    await closed;
    expect(seen.error).toMatchObject({ outcome });
  });

  it('does not wait longer for a channel that does not close', async () => {
    const setting = publishingSetting();
    const seen = setting.publish('q');
    await setting.settle();
    setting.channel.fake.close = () => new Promise(() => undefined);
    const closed = setting.producer.close({ timeout: 70 });
    await setting.pass(70);
    await closed;
    expect(seen.error).toMatchObject({ outcome: 'unknown' });
  });

  it('refuses what is published from then on, and is done once', async () => {
    const setting = publishingSetting();
    const first = setting.producer.close();
    expect(setting.producer.close()).toBe(first);
    await first;
    await expect(setting.producer.publish(1)).rejects.toMatchObject({ outcome: 'not-sent' });
    await setting.producer[Symbol.asyncDispose]();
  });

  it('leaves neither timer nor listener, whatever it was doing', async () => {
    const setting = publishingSetting();
    const { listeners } = setting.connection.parts;
    for (const key of ['1', '2', '3', '4']) setting.publish(key, { timeout: 5_000 });
    await setting.settle();
    setting.channel.nack(1);
    setting.channel.ack(2);
    await setting.close();
    expect([setting.clock.pending, setting.transport.latest.openChannels.length]).toEqual([0, 0]);
    const before = listeners.count;
    const { Producer } = await import('../../lib/failover/producer.js');
    const other = new Producer(setting.connection);
    await other.close();
    expect(listeners.count).toBe(before);
  });
});

describe('closing the connection', () => {
  it('ends what waits as not sent, and what is in flight as unknown', async () => {
    const setting = publishingSetting({ producer: { window: 1 } });
    const [sent, waiting] = [setting.publish('1'), setting.publish('2')];
    await setting.settle();
    await setting.connection.close();
    await setting.settle();
    const later = setting.publish('3');
    await setting.settle();
    expect([sent, waiting, later].map(({ error }) => error)).toMatchObject([
      { outcome: 'unknown' },
      { outcome: 'not-sent', cause: { name: 'ConnectionClosedError' } },
      { outcome: 'not-sent', cause: { name: 'ConnectionClosedError' } },
    ]);
    expect(setting.clock.pending).toBe(0);
  });

  it('does not end in a loop with a channel that is closing and cannot send', async () => {
    const setting = publishingSetting({ broker: confirms });
    setting.publish('1');
    await setting.settle();
    const { channel } = setting;
    const { AmqpError } = await import('../../lib/errors.js');
    const fault = {
      scope: 'channel',
      connection: channel.connection,
      channel: channel.fake,
    } as const;
    channel.throws = () => new AmqpError('Channel closing', fault);
    const seen = setting.publish('2');
    await setting.settle();
    expect(seen.outcome).toBe('pending');
    channel.fake.closeBy();
    await setting.settle();
    expect(seen.outcome).toBe('resolved');
  });

  it('while an exchange is being declared ends its publishes as well', async () => {
    const setting = publishingSetting({ broker: confirms });
    setting.publish('1');
    await setting.settle();
    setting.transport.latest.answer = () => 'hang';
    const seen = setting.publish('2', { exchange: new Exchange('e') });
    await setting.settle();
    await setting.connection.close();
    await setting.settle();
    expect(seen.error).toMatchObject({ outcome: 'not-sent' });
    expect(setting.clock.pending).toBe(0);
  });
});
