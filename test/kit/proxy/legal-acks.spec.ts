import { describe, expect, it } from 'vitest';
import { assertLegalAcks } from './legal-acks.js';
import type { FrameFields } from './method-fields.js';
import type { Direction, FrameName, RecordedFrame } from './wire-frame.js';

type Step = [Direction, FrameName, FrameFields?, number?];

function record(...steps: Step[]): RecordedFrame[] {
  return steps.map(([direction, method, fields = {}, connection = 1], index) => {
    return { index, connection, direction, channel: 1, method, fields };
  });
}
const deliver = (deliveryTag: number, consumerTag = 'c', connection = 1): Step => {
  return ['broker', 'basic.deliver', { deliveryTag, consumerTag }, connection];
};
const ack = (deliveryTag: number, multiple = false, connection = 1): Step => {
  return ['client', 'basic.ack', { deliveryTag, multiple }, connection];
};
const consume = (consumerTag: string, noAck: boolean): Step => {
  return ['client', 'basic.consume', { consumerTag, noAck }];
};

describe('legal', () => {
  it.each<[string, Step[]]>([
    ['each tag once, in any order', [deliver(1), deliver(2), ack(2), ack(1)]],
    ['multiple takes the tag and those before it', [deliver(1), deliver(2), ack(2, true)]],
    [
      'tag 0 with multiple takes all, also when there are none',
      [deliver(1), ack(0, true), ack(0, true)],
    ],
    ['a message that basic.get brought', [['broker', 'basic.get-ok', { deliveryTag: 1 }], ack(1)]],
    ['confirms, which are acks of the broker', [['broker', 'basic.ack', { deliveryTag: 9 }]]],
    ['the same tag on two connections', [deliver(1), deliver(1, 'c', 2), ack(1, false, 2), ack(1)]],
    [
      'tags that start again on a channel opened again',
      [
        deliver(1),
        ack(1),
        ['client', 'channel.close'],
        ['client', 'channel.open'],
        deliver(1),
        ack(1),
      ],
    ],
    [
      'an ack that crosses the channel.close of the broker',
      [deliver(1), ['broker', 'channel.close'], ack(1), ['client', 'channel.close-ok']],
    ],
  ])('%s', (_, steps) => {
    expect(() => assertLegalAcks(record(...steps))).not.toThrow();
  });
});

describe('not legal', () => {
  it.each<[string, Step[], RegExp]>([
    ['a tag never delivered', [deliver(1), ack(2)], /ack of tag 2 which was never delivered there/],
    ['the second ack of a tag', [deliver(1), ack(1), ack(1)], /settled before.*frame 2/],
    [
      'a nack after multiple took the tag',
      [deliver(1), deliver(2), ack(2, true), ['client', 'basic.nack', { deliveryTag: 1 }]],
      /nack of tag 1 which was settled/,
    ],
    [
      'multiple up to a tag settled before',
      [deliver(1), deliver(2), ack(2), ack(2, true)],
      /settled before/,
    ],
    [
      'a reject after tag 0',
      [deliver(1), ack(0, true), ['client', 'basic.reject', { deliveryTag: 1 }]],
      /settled before/,
    ],
    ['tag 0 without multiple', [deliver(1), ack(0)], /tag 0 which was never/],
    [
      'the tag of another connection',
      [deliver(1), ack(1, false, 2)],
      /never delivered there: connection 2/,
    ],
    [
      'a tag of the channel before it was opened again',
      [deliver(1), ['client', 'channel.close-ok'], ['client', 'channel.open'], ack(1)],
      /never delivered there/,
    ],
    [
      'a tag given back by recover',
      [deliver(1), ['client', 'basic.recover', { requeue: true }], ack(1)],
      /settled before/,
    ],
    [
      'a no-ack delivery of a named consumer',
      [consume('n', true), deliver(1, 'n'), ack(1)],
      /never delivered/,
    ],
    [
      'a no-ack delivery of a consumer that the broker named',
      [
        consume('', true),
        ['broker', 'basic.consume-ok', { consumerTag: 'srv' }],
        deliver(1, 'srv'),
        ack(1),
      ],
      /never delivered/,
    ],
    [
      'a no-ack get',
      [
        ['client', 'basic.get', { noAck: true }],
        ['broker', 'basic.get-ok', { deliveryTag: 1 }],
        ack(1),
      ],
      /never delivered/,
    ],
  ])('%s', (_, steps, message) => {
    expect(() => assertLegalAcks(record(...steps))).toThrow(message);
  });
});
