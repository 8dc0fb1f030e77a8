import { describe, expect, it } from 'vitest';
import { Exchange } from '../../lib/amqp/exchange.js';
import { Queue } from '../../lib/amqp/queue.js';
import { confirms, publishingSetting } from './fakes/publishing.js';

const declared = ({ transport }: ReturnType<typeof publishingSetting>): string[] =>
  transport.latest.calls.filter((call) => call.startsWith('assert'));

describe('what a publish goes to', () => {
  it('is declared before it is sent, once', async () => {
    const setting = publishingSetting({ broker: confirms });
    const exchange = new Exchange('orders');
    const queue = new Queue('created', { exchange });
    const first = setting.publish('q', { exchange, declare: [queue] });
    await setting.settle();
    const second = setting.publish('q', { exchange, declare: [queue] });
    await setting.settle();
    expect([first.outcome, second.outcome]).toEqual(['resolved', 'resolved']);
    expect(new Set(declared(setting))).toEqual(
      new Set(['assertExchange orders', 'assertQueue created']),
    );
    expect(declared(setting).filter((call) => call.startsWith('assertQueue'))).toHaveLength(1);
  });

  it('is declared before it is sent also on a channel that is open, and order is kept', async () => {
    const setting = publishingSetting();
    setting.publish('1');
    await setting.settle();
    const { latest } = setting.transport;
    let answer: 'ok' | 'hang' = 'hang';
    latest.answer = () => answer;
    setting.publish('2', { exchange: new Exchange('late') });
    setting.publish('3');
    await setting.settle();
    expect(setting.channel.keys).toEqual(['1']);
    answer = 'ok';
    latest.channels.find((channel) => !channel.confirms)?.closeBy();
    await setting.pass(10);
    expect(setting.channel.keys).toEqual(['1', '2', '3']);
    expect(declared(setting)).toEqual(['assertExchange late', 'assertExchange late']);
  });

  it('is declared also when it comes while something else is being declared', async () => {
    const setting = publishingSetting();
    setting.publish('0');
    await setting.settle();
    const sentAfter: string[][] = [];
    setting.broker.answer = ({ on, tag }) => {
      sentAfter.push(declared(setting));
      on.ack(tag);
    };
    for (const name of ['a', 'b', 'c']) setting.publish(name, { exchange: new Exchange(name) });
    await setting.settle();
    const all = ['assertExchange a', 'assertExchange b', 'assertExchange c'];
    expect(sentAfter.slice(-3)).toEqual([all, all, all]);
  });

  it('is declared also when it comes while the channel is being opened', async () => {
    const setting = publishingSetting({ broker: confirms });
    const all = [setting.publish('1', { exchange: new Exchange('a') })];
    await Promise.resolve();
    for (const name of ['b', 'c', 'd', 'e']) {
      for (let tick = 0; tick < 7; tick += 1) await Promise.resolve();
      all.push(setting.publish(name, { exchange: new Exchange(name) }));
    }
    await setting.settle();
    expect(all.every(({ outcome }) => outcome === 'resolved')).toBe(true);
    expect(declared(setting)).toHaveLength(5);
  });

  it('is declared on the next broker before anything is sent there', async () => {
    const setting = publishingSetting();
    setting.publish('1', { exchange: new Exchange('e') });
    await setting.settle();
    setting.transport.latest.drop();
    await setting.settle();
    expect(setting.transport.latest.calls[0]).toBe('assertExchange e');
    expect(setting.channel.keys).toEqual(['1']);
  });

  it('may be refused: that is told, and the publish goes on', async () => {
    const setting = publishingSetting({ broker: confirms });
    await setting.connection.ensureConnection();
    setting.transport.latest.answer = (call) => (call.startsWith('assert') ? 406 : 'ok');
    const seen = setting.publish('q', { exchange: new Exchange('e') });
    await setting.settle();
    expect(seen.outcome).toBe('resolved');
    expect(setting.logger.lines.some((line) => line.includes('Publishing goes on'))).toBe(true);
  });

  it('that is written anew for each publish is registered once', async () => {
    const setting = publishingSetting({ broker: confirms });
    for (let n = 0; n < 5; n += 1) setting.publish('q', { exchange: new Exchange('same') });
    await setting.settle();
    expect(setting.connection.parts.topology.entities).toHaveLength(1);
    await expect(
      setting.producer.publish(1, { exchange: new Exchange('same', { type: 'topic' }) }),
    ).rejects.toMatchObject({ name: 'ConfigurationError' });
  });

  it('says what is mandatory and how long it lives, unless the publish does', async () => {
    const setting = publishingSetting();
    const events = new Exchange('events', { mandatory: false, deliveryMode: 'transient' });
    setting.publish('1', { exchange: events });
    setting.publish('2', { exchange: events, mandatory: true, deliveryMode: 2, expiration: 0.5 });
    setting.publish('3', { exchange: 'named', replyTo: new Queue('answers') });
    await setting.settle();
    expect(setting.sent.map(({ properties }) => properties)).toMatchObject([
      { mandatory: false, deliveryMode: 1 },
      { mandatory: true, deliveryMode: 2, expiration: '1' },
      { mandatory: true, deliveryMode: 2, replyTo: 'answers' },
    ]);
  });
});
