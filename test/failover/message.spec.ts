import { describe, expect, it } from 'vitest';
import { isMessageStateError } from '../../lib/errors.js';
import type { DeliveringChannel } from '../../lib/failover/message.js';
import { Message } from '../../lib/failover/message.js';
import { orders } from './fakes/consumer-setting.js';
import type { FakeMessage } from './fakes/fake-deliveries.js';
import { delivery } from './fakes/fake-deliveries.js';

class ScriptedChannel implements DeliveringChannel {
  loss: Error | undefined;
  /** Its loss is not known yet, but nothing can be sent. */
  closing = false;
  readonly signal = new AbortController().signal;
  readonly accept = ['json'];
  readonly sent: string[] = [];

  ack(): void {
    this.#send('ack');
  }

  reject(_: unknown, requeue: boolean): void {
    this.#send(requeue ? 'reject requeue' : 'reject');
  }

  handBack(): void {
    this.#send('nack requeue');
  }

  #send(frame: string): void {
    if (this.closing || this.loss !== undefined) throw new Error('the channel is closing');
    this.sent.push(frame);
  }
}

function received(message: FakeMessage = {}) {
  const channel = new ScriptedChannel();
  return { channel, message: new Message(delivery(1, message), channel, orders) };
}

const verbs = ['ack', 'reject', 'requeue'] as const;
const states = { ack: 'acked', reject: 'rejected', requeue: 'requeued' } as const;
const frames = { ack: 'ack', reject: 'reject', requeue: 'reject requeue' } as const;
const pairs = verbs.flatMap((first) => verbs.map((second) => ({ first, second })));

describe('a message whose channel lives', () => {
  it.each(verbs)('sends one frame for %s, and says so', (verb) => {
    const { channel, message } = received();
    expect(message.state).toBe('received');
    expect(message.acknowledged).toBe(false);
    expect(message[verb]()).toBe('sent');
    expect(channel.sent).toEqual([frames[verb]]);
    expect(message.state).toBe(states[verb]);
    expect(message.acknowledged).toBe(true);
  });

  it.each(pairs)('refuses $second after $first, and sends nothing', ({ first, second }) => {
    const { channel, message } = received();
    message[first]();
    let thrown: unknown;
    try {
      message[second]();
    } catch (error) {
      thrown = error;
    }
    expect(isMessageStateError(thrown)).toBe(true);
    expect(String(thrown)).toContain(`is ${states[first]} already`);
    expect(channel.sent).toEqual([frames[first]]);
    expect(message.state).toBe(states[first]);
  });
});

describe('a message whose channel is gone', () => {
  it.each(verbs)('says lost for %s, however often, and never throws', (verb) => {
    const { channel, message } = received();
    channel.loss = new Error('gone');
    expect(message.state).toBe('lost');
    for (const again of [verb, ...verbs]) expect(message[again]()).toBe('lost');
    expect(message.state).toBe('lost');
    expect(message.acknowledged).toBe(false);
    expect(channel.sent).toEqual([]);
  });

  it.each(pairs)('says lost for $second after $first was sent in time', ({ first, second }) => {
    const { channel, message } = received();
    message[first]();
    channel.loss = new Error('gone');
    expect(message[second]()).toBe('lost');
    expect(message.state).toBe(states[first]);
    expect(channel.sent).toEqual([frames[first]]);
  });

  it.each(pairs)(
    'says lost for $first and then $second while it is closing',
    ({ first, second }) => {
      const { channel, message } = received();
      channel.closing = true;
      expect(message[first]()).toBe('lost');
      expect(message.state).toBe('lost');
      expect(message[second]()).toBe('lost');
      expect(message.acknowledged).toBe(false);
    },
  );

  it('stays lost when its channel can send after all', () => {
    const { channel, message } = received();
    channel.closing = true;
    message.ack();
    channel.closing = false;
    expect(message.ack()).toBe('lost');
    expect(channel.sent).toEqual([]);
  });
});

describe('what a message holds', () => {
  it('is decoded once, also when it is falsy', () => {
    const { message } = received({ content: '[]' });
    expect(message.payload).toBe(message.payload);
    for (const content of ['0', '""', 'null', 'false']) {
      expect(received({ content }).message.payload).toEqual(JSON.parse(content));
    }
  });

  it('is refused when its content type is not accepted, and readable as bytes all the same', () => {
    const { message } = received({ contentType: 'text/plain', content: 'hello' });
    expect(() => message.payload).toThrow('text/plain');
    expect(message.body.toString()).toBe('hello');
  });

  it('has headers without a prototype, and without keys that reach into one', () => {
    const headers = JSON.parse('{"a":1,"__proto__":{"evil":true},"constructor":2}') as object;
    const { message } = received({ headers: headers as Record<string, unknown> });
    expect(Object.getPrototypeOf(message.headers)).toBe(null);
    expect(Object.keys(message.headers)).toEqual(['a']);
  });

  it('tells how and where it came', () => {
    const { message } = received({ redelivered: true, messageId: 'm' });
    expect(message.redelivered).toBe(true);
    expect(message.properties.messageId).toBe('m');
    expect(message.deliveryInfo).toMatchObject({ deliveryTag: 1, routingKey: 'orders' });
    expect(message.queue).toBe(orders);
  });
});
