import { describe, expect, it } from 'vitest';
import type { ErrbackEvent } from '../../lib/failover/ensure-options.js';
import { confirms, publishingSetting } from './fakes/publishing.js';
import type { PublishedChannel } from './fakes/publishing.js';

const withMissing = publishingSetting.bind(undefined, {
  broker: ({ on, tag, exchange }) => {
    if (exchange === 'missing') on.fake.closeBy(404, " - no exchange 'missing' in vhost '/'");
    else if (on.open) on.ack(tag);
  },
});

const toMissing = (key: string) => (key === 'missing' ? { exchange: 'missing' } : {});

describe('a publish', () => {
  it('resolves with a receipt once a broker has confirmed it, and not before', async () => {
    const setting = publishingSetting();
    const seen = setting.publish('q', { messageId: 'm' });
    await setting.settle();
    expect([seen.outcome, setting.channel.keys]).toEqual(['pending', ['q']]);
    setting.channel.ack(1);
    await setting.settle();
    expect(seen.value).toEqual({
      messageId: 'm',
      broker: expect.stringContaining('@a:5672'),
      attempts: 1,
      redeliverySuspect: false,
    });
  });

  it('rejects as returned when no queue took it, and its ack changes nothing', async () => {
    const setting = publishingSetting();
    const seen = setting.publish('nowhere', { messageId: 'm' });
    await setting.settle();
    setting.channel.return(1);
    setting.channel.ack(1);
    await setting.settle();
    expect(seen.error).toMatchObject({
      name: 'UnroutableError',
      outcome: 'returned',
      messageId: 'm',
      code: 312,
    });
  });

  it.each([
    ['comes back', (channel: PublishedChannel) => channel.return(1)],
    ['kills its channel', (channel: PublishedChannel) => channel.fake.closeBy(404)],
  ])(
    'that was lost with a connection and then %s is unknown: it may be stored',
    async (_how, end) => {
      const setting = publishingSetting();
      const seen = setting.publish('q', { messageId: 'm' });
      await setting.settle();
      setting.transport.latest.drop();
      await setting.settle();
      end(setting.channel);
      await setting.settle();
      expect(seen.error).toMatchObject({ outcome: 'unknown', messageId: 'm' });
    },
  );

  it('is told from another one of the same messageId that is in flight when it comes back', async () => {
    const setting = publishingSetting();
    const how = { messageId: 'same' };
    const all = [
      setting.publish('q', how),
      setting.publish('other', how),
      setting.publish('q', { ...how, mandatory: false }),
      setting.publish('q', how),
      setting.publish('q', how),
    ];
    await setting.settle();
    setting.channel.return(1);
    setting.channel.return(4);
    setting.channel.ack(5, true);
    await setting.settle();
    expect(all.map(({ outcome }) => outcome)).toEqual([
      'rejected',
      'resolved',
      'resolved',
      'rejected',
      'resolved',
    ]);
  });

  it('is not taken for an older one of its messageId that had been given up', async () => {
    const setting = publishingSetting();
    const first = setting.publish('q', { messageId: 'same', timeout: 10 });
    await setting.settle();
    await setting.pass(10);
    const second = setting.publish('q', { messageId: 'same' });
    await setting.settle();
    setting.channel.return(1);
    setting.channel.ack(2, true);
    await setting.settle();
    expect(first.error).toMatchObject({ outcome: 'unknown' });
    expect(second.outcome).toBe('resolved');
  });

  it('that is republished is marked, and says so in its receipt', async () => {
    const setting = publishingSetting();
    const headers = Object.freeze({ mine: 1 });
    const seen = setting.publish('q', { headers });
    await setting.settle();
    setting.transport.latest.drop();
    await setting.settle();
    setting.broker.answer = confirms;
    setting.channel.ack(1);
    await setting.settle();
    expect(setting.sent.map(({ properties }) => properties.headers)).toEqual([
      { mine: 1 },
      { mine: 1, 'x-republished': true },
    ]);
    const [id, again] = setting.sent.map(({ properties }) => properties.messageId);
    expect(again).toBe(id);
    expect(seen.value).toMatchObject({ attempts: 2, redeliverySuspect: true });
    expect(seen.value?.broker).toContain('@b:');
  });

  it('keeps its order across a failover, before what came meanwhile', async () => {
    const setting = publishingSetting();
    for (const key of ['1', '2', '3']) setting.publish(key);
    await setting.settle();
    setting.channel.ack(2);
    setting.transport.latest.drop();
    setting.publish('4');
    await setting.settle();
    expect(setting.channel.keys).toEqual(['1', '3', '4']);
  });

  it.each([
    ['republish: false', { republish: false }],
    ['retry: false', { retry: false }],
    ['maxRetries: 0', { maxRetries: 0 }],
  ])('with %s ends unknown when its connection is lost before its confirm', async (_, how) => {
    const setting = publishingSetting();
    await setting.connection.ensureConnection();
    const seen = setting.publish('q', how);
    await setting.settle();
    setting.transport.latest.drop();
    await setting.settle();
    expect(seen.error).toMatchObject({ outcome: 'unknown' });
    expect(setting.sent).toHaveLength(1);
  });

  it('with retry: false is not sent when there is no connection', async () => {
    const setting = publishingSetting();
    expect(
      await setting.producer.publish(1, { retry: false }).catch((error) => error),
    ).toMatchObject({ outcome: 'not-sent' });
    expect(setting.transport.dials).toEqual([]);
  });

  it('with retry: false does not wait for the next connection when its own is lost unsent', async () => {
    const setting = publishingSetting();
    await setting.connection.ensureConnection();
    setting.transport.latest.block('memory');
    const [seen, patient] = [setting.publish('q', { retry: false }), setting.publish('q')];
    await setting.settle();
    setting.transport.latest.drop();
    await setting.settle();
    expect(seen.error).toMatchObject({ outcome: 'not-sent' });
    expect(patient.outcome).toBe('pending');
  });

  it('is sent again as often as maxRetries allows', async () => {
    const setting = publishingSetting({ connection: { livedAfter: 0, intervalStart: 0 } });
    const seen = setting.publish('q', { maxRetries: 2 });
    for (let losses = 0; losses < 3; losses += 1) {
      await setting.settle();
      expect(seen.outcome).toBe('pending');
      setting.transport.latest.drop();
    }
    await setting.settle();
    expect([seen.error, setting.sent.length]).toMatchObject([{ outcome: 'unknown' }, 3]);
  });

  it('tells its errback of each failed attempt while it goes on, and bears what that throws', async () => {
    const setting = publishingSetting();
    const events: ErrbackEvent[] = [];
    const errback = (event: ErrbackEvent) => {
      events.push(event);
      throw new Error('from errback');
    };
    const seen = setting.publish('q', { errback });
    await setting.settle();
    setting.channel.nack(1);
    await setting.pass(100);
    setting.transport.latest.drop();
    await setting.settle();
    setting.channel.ack(1);
    await setting.settle();
    expect(seen.outcome).toBe('resolved');
    expect(events.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(events.map(({ error }) => error.message)).toEqual([
      expect.stringContaining('nacked'),
      expect.stringContaining('lost'),
    ]);
  });

  it('that kills its channel is refused with the code, and all others are confirmed in order', async () => {
    const setting = withMissing();
    const keys = Array.from({ length: 40 }, (_, index) => (index === 17 ? 'missing' : `${index}`));
    const all = keys.map((key) => setting.publish(key, toMissing(key)));
    await setting.settle(200);
    const odd = all.filter(({ outcome }) => outcome !== 'resolved');
    expect(odd.map(({ error }) => error)).toMatchObject([{ outcome: 'refused', code: 404 }]);
    expect(odd[0]).toBe(all[17]);
    const firsts = [...new Set(setting.sent.map(({ routingKey }) => routingKey))];
    expect(firsts).toEqual(keys);
    expect(setting.clock.now()).toBe(0);
  });

  it('that kills its channel is found among several of its kind, and once more later', async () => {
    const setting = withMissing();
    const keys = Array.from({ length: 30 }, (_, index) => (index % 7 === 3 ? 'missing' : 'q'));
    const all = keys.map((key) => setting.publish(key, toMissing(key)));
    await setting.settle(500);
    const later = [setting.publish('missing', toMissing('missing')), setting.publish('q')];
    await setting.settle(50);
    expect([...all, ...later].map(({ outcome }) => outcome)).toEqual(
      [...keys, 'missing', 'q'].map((key) => (key === 'missing' ? 'rejected' : 'resolved')),
    );
  });

  it('that makes the broker end the connection is told as unknown with the code, and all others are confirmed in order', async () => {
    const setting = publishingSetting({
      connection: { livedAfter: 0, logger: false },
      broker: ({ on, tag, routingKey }) => {
        if (routingKey === 'poison') on.connection.drop(501);
        else if (on.open) on.ack(tag);
      },
    });
    const keys = Array.from({ length: 20 }, (_, index) => (index === 11 ? 'poison' : `${index}`));
    const all = keys.map((key) => setting.publish(key));
    await setting.settle(300);
    const odd = all.filter(({ outcome }) => outcome !== 'resolved');
    expect(odd.map(({ error }) => error)).toMatchObject([{ outcome: 'unknown', code: 501 }]);
    expect(odd[0]).toBe(all[11]);
    expect([...new Set(setting.sent.map(({ routingKey }) => routingKey))]).toEqual(keys);
  });

  it('inside a "lost" listener goes to the next broker', async () => {
    const setting = publishingSetting({ broker: confirms });
    const first = setting.publish('q');
    await setting.settle();
    const inside: ReturnType<typeof setting.publish>[] = [];
    setting.connection.on('lost', () => inside.push(setting.publish('q')));
    setting.transport.latest.drop();
    await setting.settle();
    expect([first, ...inside].map(({ outcome }) => outcome)).toEqual(['resolved', 'resolved']);
  });

  it('waits for the first broker that comes up', async () => {
    const setting = publishingSetting({ broker: confirms });
    setting.transport.brokers['a'] = setting.transport.brokers['b'] = 'dead';
    const seen = setting.publish('q');
    await setting.pass(500);
    expect(seen.outcome).toBe('pending');
    setting.transport.brokers['b'] = 'up';
    await setting.pass(1_000);
    await setting.settle();
    expect(seen.outcome).toBe('resolved');
  });
});
