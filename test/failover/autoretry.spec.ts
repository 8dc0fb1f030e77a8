import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Channel } from '../../lib/amqp/channel.js';
import { isConfigurationError, isOperationalError } from '../../lib/errors.js';
import type { FakeChannel } from './fakes/fake-channel.js';
import { settled } from './fakes/fake-clock.js';
import { fakeSetting, watch } from './fakes/fake-setting.js';

const hangs = () => new Promise<never>(() => undefined);

describe('autoretry', () => {
  it('passes a live channel of its own to each call, and closes it afterwards', async () => {
    const { connection } = fakeSetting();
    const seen: Channel[] = [];
    const operation = connection.autoretry((channel, id: number) => {
      expect(channel.loss).toBeUndefined();
      seen.push(channel);
      return id;
    });
    expectTypeOf(operation).toEqualTypeOf<(id: number) => Promise<number>>();
    expect(await Promise.all([operation(1), operation(2)])).toEqual([1, 2]);
    expect(new Set(seen).size).toBe(2);
    for (const channel of seen) {
      expect(channel.loss).toBeDefined();
      expect(channel).not.toBe(await connection.defaultChannel());
    }
  });

  it('runs again on a new channel of the next broker after a loss', async () => {
    const { connection, transport } = fakeSetting();
    const hosts: string[] = [];
    const operation = connection.autoretry(async function count(channel, queue: string) {
      hosts.push(channel.connection.broker.hostname);
      if (hosts.length === 1) transport.latest.drop();
      return (await channel.checkQueue(queue)).messageCount;
    });
    expect(await operation('orders')).toBe(0);
    expect(hosts).toEqual(['a', 'b']);
    expect(operation.name).toBe('count(ensured)');
    expect(transport.latest.openChannels).toEqual([]);
  });

  it('closes the channel of a run that failed by an error of its own', async () => {
    const { connection, transport } = fakeSetting();
    await expect(
      connection.autoretry(() => {
        throw new Error('mine');
      })(),
    ).rejects.toThrow('mine');
    expect(transport.latest.channels).toHaveLength(1);
    expect(transport.latest.openChannels).toEqual([]);
  });

  it('disturbs nobody when its channel is closed by an error', async () => {
    const { connection, transport } = fakeSetting();
    const shared = await connection.defaultChannel();
    transport.latest.answer = () => 404;
    const failed = watch(connection.autoretry((channel) => channel.checkQueue('none'))());
    await settled();
    expect(failed.error).toMatchObject({ code: 404 });
    expect(shared.loss).toBeUndefined();
  });

  it('gives onRevive the shared channel after a recovery', async () => {
    const { connection, transport } = fakeSetting();
    const revived: Channel[] = [];
    let runs = 0;
    const operation = connection.autoretry(
      async (channel) => {
        runs += 1;
        if (runs === 1) transport.latest.drop();
        await channel.checkQueue('q');
      },
      { onRevive: (channel) => revived.push(channel) },
    );
    await operation();
    expect(revived).toEqual([await connection.defaultChannel()]);
  });

  it('rejects when no broker can be connected to within maxRetries rounds', async () => {
    const { connection, transport, clock } = fakeSetting();
    transport.brokers['a'] = 'dead';
    transport.brokers['b'] = 'dead';
    const failed = watch(connection.autoretry(() => 1, { maxRetries: 1 })());
    await clock.advance(100);
    expect(failed.error).toSatisfy(isOperationalError);
    expect(transport.dialled).toHaveLength(4);
  });

  it('tells a first call of a refusal', async () => {
    const { connection, transport } = fakeSetting({ urls: 'amqp://a' });
    transport.brokers['a'] = 'refuses';
    await expect(connection.autoretry(() => 1)()).rejects.toSatisfy(isOperationalError);
  });

  it('that times out while it hangs has its channel closed, so that it ends', async () => {
    const { connection, transport, clock } = fakeSetting();
    await connection.ensureConnection();
    transport.latest.answer = () => 'hang';
    const runs: unknown[] = [];
    const failed = watch(
      connection.autoretry((channel) => runs.push(watch(channel.checkQueue('q'))) && hangs(), {
        timeout: 50,
      })(),
    );
    await clock.advance(50);
    expect(failed.error).toSatisfy(isOperationalError);
    expect(transport.latest.openChannels).toEqual([]);
    expect(runs).toMatchObject([{ outcome: 'rejected' }]);
  });

  it('that times out while its channel opens closes it when it is there', async () => {
    const { connection, transport, clock } = fakeSetting();
    await connection.ensureConnection();
    const channel = await transport.latest.openChannel();
    let open: ((opened: FakeChannel) => void) | undefined;
    transport.latest.openChannel = () => new Promise((resolve) => (open = resolve));
    const failed = watch(connection.autoretry(() => 1, { timeout: 50 })());
    await clock.advance(50);
    expect(failed.error).toSatisfy(isOperationalError);
    open?.(channel);
    await settled();
    expect(channel.loss).toBeDefined();
  });

  it('refuses what is no function, and unknown options', () => {
    const { connection } = fakeSetting();
    const refused = expect.toSatisfy(isConfigurationError) as never;
    expect(() => connection.autoretry(undefined as never)).toThrow(refused);
    expect(() => connection.autoretry(() => 1, { channel: true } as never)).toThrow(refused);
  });
});

describe('channel', () => {
  it('opens another one each time, in confirm mode if asked', async () => {
    const { connection } = fakeSetting();
    const plain = (await connection.channel()) as FakeChannel;
    const confirm = await connection.channel({ confirm: true });
    expect(plain).not.toBe(confirm);
    expect([plain.confirms, (confirm as FakeChannel).confirms]).toEqual([false, true]);
    expectTypeOf(confirm.waitForConfirms).returns.toEqualTypeOf<Promise<void>>();
  });

  it('goes to the next broker when the connection is lost while it opens', async () => {
    const { connection, transport } = fakeSetting();
    await connection.ensureConnection();
    transport.latest.openHangs = true;
    const opened = connection.channel();
    await settled();
    transport.latest.drop();
    expect((await opened).connection.broker.hostname).toBe('b');
  });

  it('rejects when opening one is our own fault, instead of losing one connection after the other', async () => {
    const { connection, transport } = fakeSetting();
    await connection.ensureConnection();
    const { latest } = transport;
    latest.openChannel = () => Promise.reject(latest.drop(530));
    await expect(connection.channel()).rejects.toMatchObject({ code: 530 });
  });

  it('is bounded by its timeout, opening included, and closes what comes late', async () => {
    const { connection, transport, clock } = fakeSetting();
    await connection.ensureConnection();
    transport.latest.openHangs = true;
    const failed = watch(connection.channel({ timeout: 50 }));
    await clock.advance(50);
    expect(failed.error).toSatisfy(isOperationalError);
  });

  it('defaultChannel is one for all, renewed after it was closed and after a loss', async () => {
    const { connection, transport } = fakeSetting();
    const [one, two] = await Promise.all([
      connection.defaultChannel(),
      connection.defaultChannel(),
    ]);
    expect(one).toBe(two);
    await one.close();
    const [three, four] = await Promise.all([
      connection.defaultChannel(),
      connection.defaultChannel(),
    ]);
    expect(three).not.toBe(one);
    expect(three).toBe(four);
    transport.latest.drop();
    expect((await connection.defaultChannel()).connection.broker.hostname).toBe('b');
  });
});
