import { describe, expect, it } from 'vitest';
import { confirms, publishingSetting } from './fakes/publishing.js';

const silentFor = (confirmTimeout: number) =>
  publishingSetting({ connection: { livedAfter: 0 }, producer: { confirmTimeout } });

describe('a broker that confirms nothing', () => {
  it('loses its channel after the confirm timeout, and gets everything again on a new one', async () => {
    const setting = silentFor(100);
    const all = [setting.publish('1'), setting.publish('2')];
    await setting.settle();
    await setting.pass(99);
    expect(setting.channels).toHaveLength(1);
    setting.broker.answer = confirms;
    await setting.pass(2);
    expect(all.map(({ value }) => value)).toMatchObject([
      { attempts: 2, redeliverySuspect: true },
      { attempts: 2, redeliverySuspect: true },
    ]);
    expect(setting.channels.map(({ open, keys }) => [open, keys])).toEqual([
      [false, ['1', '2']],
      [true, ['1', '2']],
    ]);
    expect(setting.transport.dialled).toEqual(['a']);
  });

  it('loses its connection the second time in a row, and the next broker gets everything', async () => {
    const setting = silentFor(100);
    const seen = setting.publish('q');
    await setting.pass(195);
    expect(setting.transport.dialled).toEqual(['a']);
    setting.broker.answer = ({ on, tag }) => {
      if (on.connection.broker.hostname === 'b') on.ack(tag);
    };
    await setting.pass(20);
    expect(setting.transport.dialled).toEqual(['a', 'b']);
    expect(seen.value).toMatchObject({ attempts: 3 });
  });

  it('keeps its connection when it has answered in between, be it with a nack', async () => {
    const setting = silentFor(100);
    setting.publish('1');
    await setting.pass(105);
    expect(setting.channels).toHaveLength(2);
    setting.channel.nack(1);
    await setting.pass(250);
    // On the channel for what was nacked there was no answer either: that one is given up, and it alone.
    expect(setting.channels.map(({ open }) => open)).toEqual([false, true, false]);
    expect(setting.transport.dialled).toEqual(['a']);
  });

  it('gets a second chance on each connection', async () => {
    const setting = silentFor(100);
    setting.publish('q');
    await setting.pass(470);
    expect(setting.transport.dialled).toEqual(['a', 'b', 'a']);
    expect(setting.channels).toHaveLength(5);
  });

  it('is not given up while it confirms anything at all', async () => {
    const setting = silentFor(100);
    setting.publish('slow');
    for (let tag = 2; tag < 10; tag += 1) {
      setting.publish('quick');
      await setting.pass(90);
      setting.channel.ack(tag);
    }
    expect(setting.channels).toHaveLength(1);
  });

  it('is given up when it only nacks now and then, since what waits behind that gets no answer', async () => {
    const setting = silentFor(100);
    const seen = Array.from({ length: 20 }, () => setting.publish('q'));
    await setting.settle();
    await setting.pass(70);
    setting.channel.nack(1);
    setting.broker.answer = confirms;
    await setting.pass(40);
    expect(setting.channels[0]?.open).toBe(false);
    await setting.pass(100);
    expect(seen.map(({ outcome }) => outcome)).toEqual(seen.map(() => 'resolved'));
  });

  it('is not given up for nacking everything, as long as it does so in time', async () => {
    const setting = publishingSetting({
      producer: { confirmTimeout: 100, nackRetries: 0 },
      broker: ({ on, tag }) => on.nack(tag),
    });
    const endings: unknown[] = [];
    for (let n = 0; n < 10; n += 1) {
      const first = setting.publish(`full ${n}`);
      const second = setting.publish(`full ${n}`);
      await setting.pass(50);
      endings.push(first.error, second.error);
    }
    expect(endings).toMatchObject(endings.map(() => ({ outcome: 'nacked' })));
    expect(setting.channels).toHaveLength(1);
  });

  it('is not taken for silent by how long it has been idle', async () => {
    const setting = silentFor(100);
    setting.publish('1');
    await setting.settle();
    setting.channel.ack(1);
    await setting.pass(1_000);
    setting.publish('2');
    await setting.pass(95);
    setting.channel.ack(2);
    await setting.settle();
    expect(setting.channels).toHaveLength(1);
  });

  it('may answer on a channel that was given up, and nobody listens', async () => {
    const setting = silentFor(100);
    const seen = setting.publish('q');
    await setting.pass(105);
    setting.channels[0]?.ack(1);
    setting.channels[0]?.ack(7);
    await setting.settle();
    expect([seen.outcome, setting.transport.live.length]).toEqual(['pending', 1]);
  });

  it('that opens no channel either is left for the next broker', async () => {
    const setting = silentFor(100);
    await setting.connection.ensureConnection();
    setting.transport.latest.openHangs = true;
    setting.broker.answer = confirms;
    const seen = setting.publish('q');
    await setting.pass(99);
    expect(seen.outcome).toBe('pending');
    await setting.pass(5);
    expect(setting.transport.dialled).toEqual(['a', 'b']);
    expect(seen.outcome).toBe('resolved');
  });

  it('that opens no channel while it blocks is waited for', async () => {
    const setting = silentFor(100);
    await setting.connection.ensureConnection();
    setting.transport.latest.openHangs = true;
    setting.transport.latest.block('memory');
    setting.publish('q');
    await setting.pass(500);
    expect(setting.transport.dialled).toEqual(['a']);
  });

  it('ends a publish that must not be sent twice as unknown', async () => {
    const setting = silentFor(100);
    const seen = setting.publish('q', { republish: false });
    await setting.pass(105);
    expect(seen.error).toMatchObject({ outcome: 'unknown' });
  });
});

describe('a broker that closes each channel at once', () => {
  it('is not asked for channels without end', async () => {
    const setting = publishingSetting({ broker: ({ on }) => void on.fake.closeBy(541) });
    const seen = setting.publish('q', { timeout: 100 });
    await setting.pass(100);
    expect(seen.error).toMatchObject({ outcome: 'unknown' });
    expect(setting.channels.length).toBeGreaterThan(2);
    expect(setting.channels.length).toBeLessThan(25);
  });

  it('gets the next one at once when this one had been of use', async () => {
    const setting = publishingSetting();
    setting.publish('1');
    await setting.settle();
    setting.channel.ack(1);
    const seen = setting.publish('2');
    setting.channel.fake.closeBy(541);
    setting.broker.answer = confirms;
    await setting.settle();
    expect([seen.outcome, setting.clock.now()]).toEqual(['resolved', 0]);
  });

  it('before it was used is asked again', async () => {
    const setting = publishingSetting({ broker: confirms });
    const connect = setting.transport.connect.bind(setting.transport);
    let asked = 0;
    setting.transport.connect = async (...args) => {
      const opened = await connect(...args);
      const open = opened.openConfirmChannel.bind(opened);
      opened.openConfirmChannel = async () => {
        const channel = await open();
        asked += 1;
        if (asked === 1) queueMicrotask(() => channel.closeBy(541));
        return channel;
      };
      return opened;
    };
    const seen = setting.publish('q');
    await setting.pass(10);
    expect([seen.outcome, asked]).toEqual(['resolved', 2]);
  });
});

describe('a broker that has lost count', () => {
  it.each<[string, number, boolean]>([
    ['a tag that it confirmed before', 1, false],
    ['a tag that was never sent', 9, false],
    ['all up to a tag that was never sent', 9, true],
    ['all up to a tag that it confirmed before', 1, true],
    ['tag 0', 0, false],
  ])('by confirming %s is dropped, and confirms nothing by that', async (_, tag, multiple) => {
    const setting = publishingSetting();
    const all = ['1', '2', '3'].map((key) => setting.publish(key));
    await setting.settle();
    setting.channel.ack(1);
    setting.channel.ack(tag, multiple);
    await setting.settle();
    expect(all.map(({ outcome }) => outcome)).toEqual(['resolved', 'pending', 'pending']);
    expect(setting.transport.dialled).toEqual(['a', 'b']);
    expect(setting.channel.keys).toEqual(['2', '3']);
  });

  it('by giving back what nobody has sent changes nothing', async () => {
    const setting = publishingSetting();
    const seen = setting.publish('q', { mandatory: false });
    await setting.settle();
    setting.channel.return(1);
    setting.channel.ack(1);
    await setting.settle();
    expect(seen.outcome).toBe('resolved');
  });
});
