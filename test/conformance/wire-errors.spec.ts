import * as frames from '../kit/amqp-frames.js';
import { conforms } from './conformance.js';
import { onChannel, say } from './raw-cases.js';

const { method, shortstr, longstr, short, long, longlong, octet, frame, table } = frames;

const field = (name: string, tag: string, ...value: Buffer[]): Buffer =>
  Buffer.concat([shortstr(name), Buffer.from(tag), ...value]);

const tableOf = (...fields: Buffer[]): Buffer => {
  const bytes = Buffer.concat(fields);
  return Buffer.concat([long(bytes.length), bytes]);
};

const declareWith = (queue: string, args: Buffer): Buffer =>
  method(1, [50, 10], short(0), shortstr(queue), octet(0), args);

const HEADERS = 0x2000;

/** A publish with these properties, byte by byte. */
const publishWith = (queue: string, ...properties: Buffer[]): Buffer[] => [
  say.publish(1, '', queue),
  say.header(1, 1, Buffer.concat(properties)),
  say.body(1, 'x'),
];

const ack = (tag: number, multiple = 0): Buffer =>
  method(1, [60, 80], longlong(tag), octet(multiple));
const reject = (tag: number): Buffer => method(1, [60, 90], longlong(tag), octet(0));
const nack = (tag: number, bits = 0): Buffer => method(1, [60, 120], longlong(tag), octet(bits));

conforms('a channel number', {
  'that is not open takes no method': onChannel(() => [say.declare(7, 'q')], { probed: false }),
  'that is not open takes no publish': onChannel(
    () => [say.publish(7, '', 'q'), say.header(7, 1), say.body(7, 'x')],
    { probed: false },
  ),
  'that is not open takes no close': onChannel(() => [say.closeChannel(7)], { probed: false }),
  'that is not open takes no close-ok': onChannel(() => [say.closeOk(7)], { probed: false }),
  'that is not open takes no header': onChannel(() => [say.header(7, 1)], { probed: false }),
  'that is not open takes no body': onChannel(() => [say.body(7, 'x')], { probed: false }),
  'that was closed takes no method': onChannel(
    () => [say.closeChannel(1), '1 channel.close-ok', say.declare(1, 'q')],
    { probed: false },
  ),
  'that was closed can be opened again': onChannel(() => [
    say.closeChannel(1),
    '1 channel.close-ok',
    say.open(1),
  ]),
  'beyond what was agreed on can be opened': onChannel(() => [say.open(2_048)]),
  'that is the highest can be opened': onChannel(() => [say.open(65_535)]),
  'that is open is not opened again': onChannel(() => [say.open(1)]),
  'that is open takes no close-ok': onChannel(() => [say.closeOk(1)], { probed: false }),
  '0 has no channel to open': onChannel(() => [say.open(0)], { probed: false }),
  '0 has no publish': onChannel(() => [say.publish(0, '', 'q')], { probed: false }),
  '0 has no header': onChannel(() => [say.header(0, 1)], { probed: false }),
  '0 has no body': onChannel(() => [say.body(0, 'x')], { probed: false }),
  '0 has no other kind of frame': onChannel(() => [frame(5, 0, Buffer.from('abc'))], {
    probed: false,
  }),
  '0 has no heartbeat with a payload': onChannel(() => [frame(8, 0, Buffer.from('abc'))], {
    probed: false,
  }),
  '0 opens no connection twice': onChannel(
    () => [method(0, [10, 40], shortstr('/'), shortstr(''), octet(0))],
    { probed: false },
  ),
  '0 tunes no connection twice': onChannel(
    () => [method(0, [10, 31], short(0), long(0), short(0))],
    { probed: false },
  ),
  '0 starts no connection twice': onChannel(
    () => [method(0, [10, 11], table({}), shortstr('PLAIN'), longstr(''), shortstr('en_US'))],
    { probed: false },
  ),
  '0 is not closed before it is': onChannel(() => [method(0, [10, 51])], { probed: false }),
  '1 has no method of the connection': onChannel(
    () => [method(1, [10, 50], short(200), shortstr('bye'), short(0), short(0))],
    { probed: false },
  ),
});

conforms('a frame', {
  'of a kind that there is not': onChannel(() => [frame(5, 1, Buffer.from('abc'))]),
  'of a kind that there is not, with much in it': onChannel(() => [
    frame(4, 1, Buffer.from('abcdefghijklmnopqrstuvwxyz')),
  ]),
  'of a method that is too short to have a number': onChannel(() => [frame(1, 1, short(60))]),
  'of a method that is empty': onChannel(() => [frame(1, 1, Buffer.alloc(0))]),
  'of a header that is too short': onChannel(() => [
    say.publish(1, '', 'q'),
    frame(2, 1, Buffer.concat([short(60), short(0), long(0)])),
  ]),
  'of a header that has no flags': onChannel(() => [
    say.publish(1, '', 'q'),
    frame(2, 1, Buffer.concat([short(60), short(0), long(0), long(0)])),
  ]),
  'of a header that has a weight': onChannel(() => [
    say.publish(1, '', 'q'),
    say.header(1, 0, short(0), 60, 1),
  ]),
  'of a heartbeat on channel 1 with a payload': onChannel(() => [frame(8, 1, Buffer.from('x'))]),
  'of a body that is empty, before the rest': onChannel((queue) => [
    say.declare(1, queue),
    say.publish(1, '', queue),
    say.header(1, 1),
    say.body(1, ''),
    say.body(1, 'x'),
    say.get(1, queue, 1),
  ]),
  'of a body that is longer than announced': onChannel(() => [
    say.publish(1, '', 'q'),
    say.header(1, 1),
    say.body(1, 'xyz'),
  ]),
  'of a body that goes on though it is longer than announced': onChannel(() => [
    say.publish(1, '', 'q'),
    say.header(1, 1),
    say.body(1, 'xyz'),
    say.body(1, 'xyz'),
  ]),
  'of a second header': onChannel(() => [
    say.publish(1, '', 'q'),
    say.header(1, 1),
    say.header(1, 1),
  ]),
  'of a body after an empty message': onChannel(() => [
    say.publish(1, '', 'q'),
    say.header(1, 0),
    say.body(1, 'x'),
  ]),
  'as large as it may be': onChannel((queue) => [
    say.declare(1, queue),
    say.publish(1, '', queue),
    say.header(1, 131_064),
    frame(3, 1, Buffer.alloc(131_064)),
  ]),
  'as large as is forgiven': onChannel((queue) => [
    say.declare(1, queue),
    say.publish(1, '', queue),
    say.header(1, 131_072),
    frame(3, 1, Buffer.alloc(131_072)),
  ]),
  'too large by one': onChannel(() => [frame(3, 1, Buffer.alloc(131_073))], { probed: false }),
});

conforms('a method', {
  'of a class that there is not': onChannel(() => [method(1, [11, 10])]),
  'that its class does not have': onChannel(() => [method(1, [50, 99])]),
  'that there is not, on channel 0': onChannel(() => [method(0, [10, 99])], { probed: false }),
  'that only a broker sends, declare-ok': onChannel(() => [
    method(1, [50, 11], shortstr('q'), long(0), long(0)),
  ]),
  'that only a broker sends, open-ok': onChannel(() => [method(1, [20, 11], longstr(''))]),
  'that only a broker sends, get-empty': onChannel(() => [method(1, [60, 72], shortstr(''))]),
  'that only a broker sends, deliver': onChannel(() => [frames.deliver(1, 'tag', 1)]),
  'that only a broker sends, return': onChannel(() => [frames.basicReturn(1, 'key')]),
  'that nobody waits for, cancel-ok': onChannel(() => [method(1, [60, 31], shortstr('tag'))]),
  'that nobody waits for, flow-ok': onChannel(() => [method(1, [20, 21], octet(1))]),
  'that is cut short': onChannel(() => [method(1, [50, 10], short(0))]),
  'that has something more': onChannel((queue) => [
    method(1, [50, 10], short(0), shortstr(queue), octet(0), table({}), octet(7)),
  ]),
  'that has something more though it has no fields': onChannel(() => [
    method(1, [20, 41], octet(7)),
  ]),
  'that is cut short, on channel 0': onChannel(() => [method(0, [10, 50], short(200))], {
    probed: false,
  }),
  'with reserved bits': onChannel((queue) => [
    say.declare(1, queue, 0b1110_0000),
    say.publish(1, '', queue, 0b1111_1100),
    say.header(1, 1),
    say.body(1, 'x'),
    say.get(1, queue, 0b1111_1111),
  ]),
  'with a ticket': onChannel((queue) => [
    method(1, [50, 10], short(77), shortstr(queue), octet(0), table({})),
  ]),
  'with a name that is no UTF-8': onChannel(() => [
    method(1, [50, 10], short(0), octet(2), Buffer.from([0xff, 0xfe]), octet(0), table({})),
  ]),
  'with a key that is no UTF-8': onChannel(() => [
    method(1, [60, 40], short(0), shortstr(''), octet(2), Buffer.from([0xff, 0xfe]), octet(0)),
    say.header(1, 0),
  ]),
  'with a name of 255 bytes': onChannel(() => [
    say.declare(1, `wire-errors-${'n'.repeat(243)}`, 0b1000),
    method(1, [50, 40], short(0), shortstr(`wire-errors-${'n'.repeat(243)}`), octet(0)),
  ]),
  'with a table that is longer than the frame': onChannel((queue) => [
    declareWith(queue, Buffer.concat([long(9), shortstr('a')])),
  ]),
  'with a table that ends in a field': onChannel((queue) => [
    declareWith(queue, tableOf(field('a', 'I', short(1)))),
  ]),
  'with a table of a type that there is not': onChannel((queue) => [
    declareWith(queue, tableOf(field('a', 'Z', long(1)))),
  ]),
  'with a table that has a long as L': onChannel((queue) => [
    declareWith(queue, tableOf(field('x-message-ttl', 'L', longlong(60_000)))),
    declareWith(queue, tableOf(field('x-message-ttl', 'l', longlong(60_000)))),
  ]),
  'with a table that says a thing twice': onChannel((queue) => [
    declareWith(
      queue,
      tableOf(field('x-message-ttl', 'I', long(60_000)), field('x-message-ttl', 'I', long(70_000))),
    ),
    declareWith(queue, tableOf(field('x-message-ttl', 'I', long(60_000)))),
  ]),
});

conforms('a delivery tag', {
  'that was never given is not acked': onChannel(() => [ack(1)]),
  'of 0 is not acked': onChannel(() => [ack(0)]),
  'of 0 acks everything, be there nothing': onChannel(() => [ack(0, 1)]),
  'of 0 is not rejected': onChannel(() => [reject(0)]),
  'that was never given is not rejected': onChannel(() => [reject(3)]),
  'of 0 is not nacked': onChannel(() => [nack(0)]),
  'of 0 nacks everything, be there nothing': onChannel(() => [nack(0, 3)]),
  'that was never given nacks nothing before it': onChannel(() => [nack(5, 3)]),
  'beyond all numbers is not acked': onChannel(() => [
    method(1, [60, 80], longlong(Number.MAX_SAFE_INTEGER), octet(0)),
  ]),
  'is not acked twice': onChannel((queue) => [
    say.declare(1, queue),
    say.publish(1, '', queue),
    say.header(1, 1),
    say.body(1, 'x'),
    say.get(1, queue),
    ack(1),
    ack(1),
  ]),
  'that comes after those acked acks none of them again': onChannel((queue) => [
    say.declare(1, queue),
    say.publish(1, '', queue),
    say.header(1, 1),
    say.body(1, 'x'),
    say.get(1, queue),
    ack(1),
    ack(2, 1),
  ]),
  'of what needed no ack is not acked': onChannel((queue) => [
    say.declare(1, queue),
    say.publish(1, '', queue),
    say.header(1, 1),
    say.body(1, 'x'),
    say.get(1, queue, 1),
    ack(1),
  ]),
});

conforms('a consumer tag', {
  'is not used twice': onChannel((queue) => [
    say.declare(1, queue),
    say.consume(1, queue, 'tag'),
    '1 basic.consume-ok',
    say.consume(1, queue, 'tag'),
  ]),
  'is not used twice for replies': onChannel(() => [
    say.consume(1, 'amq.rabbitmq.reply-to', 'tag', 0b10),
    '1 basic.consume-ok',
    say.consume(1, 'amq.rabbitmq.reply-to', 'tag', 0b10),
  ]),
  'of a queue is not used for replies': onChannel((queue) => [
    say.declare(1, queue),
    say.consume(1, queue, 'tag'),
    '1 basic.consume-ok',
    say.consume(1, 'amq.rabbitmq.reply-to', 'tag', 0b10),
  ]),
  'of replies can be used for a queue': onChannel((queue) => [
    say.consume(1, 'amq.rabbitmq.reply-to', 'tag', 0b10),
    say.declare(1, queue),
    say.consume(1, queue, 'tag'),
  ]),
  'can be used again after a cancel': onChannel((queue) => [
    say.declare(1, queue),
    say.consume(1, queue, 'tag'),
    '1 basic.consume-ok',
    method(1, [60, 30], shortstr('tag'), octet(0)),
    '1 basic.cancel-ok',
    say.consume(1, queue, 'tag'),
  ]),
  'that is not there is cancelled': onChannel(() => [
    method(1, [60, 30], shortstr('nobody'), octet(0)),
  ]),
});

conforms('properties', {
  'that are announced and missing': onChannel((queue) => publishWith(queue, short(0x8000))),
  'that are all announced and missing': onChannel((queue) => publishWith(queue, short(0xfffc))),
  'with the bits that say nothing': onChannel((queue) => [
    say.declare(1, queue),
    ...publishWith(queue, short(0x0002)),
    say.get(1, queue, 1),
  ]),
  'with the bit that says there are more flags': onChannel((queue) => [
    say.declare(1, queue),
    ...publishWith(queue, short(0x0001), short(0)),
    say.get(1, queue, 1),
  ]),
  'with something after them': onChannel((queue) => [
    say.declare(1, queue),
    ...publishWith(queue, short(0), Buffer.from('rubbish')),
    say.get(1, queue, 1),
  ]),
  'with headers that are cut short': onChannel((queue) =>
    publishWith(queue, short(HEADERS), long(99)),
  ),
  'with headers of a type that there is not': onChannel((queue) =>
    publishWith(queue, short(HEADERS), tableOf(field('a', 'Z', long(1)))),
  ),
  'with headers that end in a field': onChannel((queue) =>
    publishWith(queue, short(HEADERS), tableOf(field('a', 'I', short(1)))),
  ),
  'with a header that is not a number': onChannel((queue) =>
    publishWith(
      queue,
      short(HEADERS),
      tableOf(field('a', 'd', Buffer.from('7ff8000000000000', 'hex'))),
    ),
  ),
  'that are garbage, for an exchange that is missing': onChannel(() => [
    say.publish(1, 'missing', ''),
    say.header(1, 1, short(0x8000)),
    say.body(1, 'x'),
  ]),
  'with a text that is no UTF-8': onChannel((queue) => [
    say.declare(1, queue),
    ...publishWith(queue, short(0x8000), octet(2), Buffer.from([0xff, 0xfe])),
    say.get(1, queue, 1),
  ]),
});

conforms('a channel that was refused something', {
  'hears no more until it says that it knows': onChannel(
    (queue) => [say.declare(1, queue, 1), '1 channel.close', say.declare(1, queue), say.look(1)],
    { probed: false },
  ),
  'is open again after that': onChannel((queue) => [
    say.declare(1, queue, 1),
    '1 channel.close',
    say.closeOk(1),
    say.open(1),
  ]),
  'may close at the same time': onChannel((queue) => [
    say.declare(1, queue, 1),
    '1 channel.close',
    say.closeChannel(1),
  ]),
  'may not be opened before that': onChannel(
    (queue) => [say.declare(1, queue, 1), '1 channel.close', say.open(1), '0 connection.close'],
    {
      probed: false,
    },
  ),
  'has the others go on': onChannel((queue) => [
    say.open(2),
    say.declare(2, queue, 1),
    '2 channel.close',
    say.look(1),
  ]),
});
