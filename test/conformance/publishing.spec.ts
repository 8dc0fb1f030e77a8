import type { Options } from 'amqplib';
import type { Case } from './conformance.js';
import { conforms } from './conformance.js';
import { defs } from './defs.js';
import { RawClient } from './raw-client.js';
import { content, method, octet, short, shortstr } from '../kit/amqp-frames.js';

const publishNowhere = Buffer.concat([
  method(1, [60, 40], short(0), shortstr(''), shortstr('nobody'), octet(0)),
  content(1, 'x'),
]);

/** Publishes one message into a queue, and tells what comes out, or what the channel dies of. */
const through =
  (options: Options.Publish, body: Buffer = Buffer.from('body')): Case =>
  async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'));
    seat.channel.publish('', name('q'), body, options);
    const fate = await seat.fate(() => undefined);
    return [
      fate,
      await (seat.closed === undefined ? seat.confirms(1) : []),
      seat.closed === undefined && (await seat.get(name('q'))),
    ];
  };

const bytes = (length: number): Case => through({}, Buffer.alloc(length, 'x'));

conforms('a published message', {
  'without properties': through({}),
  'with every property': through({
    contentType: 'text/plain',
    contentEncoding: 'utf-8',
    headers: { a: 1 },
    deliveryMode: 2,
    priority: 7,
    correlationId: 'c-1',
    replyTo: 'answers',
    messageId: 'm-1',
    timestamp: 1_700_000_000,
    type: 'Created',
    userId: 'guest',
    appId: 'app',
  }),
  'with headers of every type': through({
    headers: {
      text: 'ä€😀',
      empty: '',
      flag: true,
      off: false,
      byte: 5,
      negative: -5,
      short: 1_000,
      int: 100_000,
      long: 10_000_000_000,
      double: 1.5,
      nothing: null,
      list: [1, 'two', [3], { four: 4 }],
      table: { nested: { deep: [true] } },
      bytes: Buffer.from([1, 2, 255]),
      time: { '!': 'timestamp', value: 1_700_000_000 },
      decimal: { '!': 'decimal', value: { digits: 12_345, places: 2 } },
      float: { '!': 'float', value: 2.5 },
      width: { '!': 'int64', value: 1 },
    },
  }),
  'with properties that are not ASCII': through({
    messageId: 'größe',
    type: '種類',
    correlationId: 'x'.repeat(255),
  }),
  'with delivery mode 1': through({ deliveryMode: 1 }),
  'that is empty': bytes(0),
  'of one byte': bytes(1),
  'of a frame less one': bytes(131_063),
  'of a frame': bytes(131_064),
  'of a frame and one': bytes(131_065),
  'of two frames': bytes(262_128),
  'of a MiB': bytes(1_048_576),
  'in the name of its user': through({ userId: 'guest' }),
  'in the name of another user': through({ userId: 'somebody' }),
  'that expires': through({ expiration: '60000' }),
  'that expires with words': through({ expiration: 'soon' }),
  'that expires with words after a number': through({ expiration: '5 seconds' }),
  'that expires with a fraction': through({ expiration: '1.5' }),
  'that expires in the past': through({ expiration: '-1' }),
  'that expires after too long': through({ expiration: '999999999999' }),
  'with an empty expiration': through({ expiration: '' }),
  'that asks to be delivered at once': async ({ connect, name }) => {
    const peer = await connect();
    const seat = await peer.seat();
    await seat.channel.assertQueue(name('q'));
    // amqplib has no option for it.
    const raw = seat.channel as unknown as {
      connection: { sendMessage: (...parts: unknown[]) => unknown };
      ch: number;
    };
    raw.connection.sendMessage(
      raw.ch,
      defs.BasicPublish,
      { exchange: '', routingKey: name('q'), mandatory: false, immediate: true, ticket: 0 },
      defs.BasicProperties,
      { headers: {} },
      Buffer.from('now'),
    );
    return peer.end();
  },
});

conforms('a publisher', {
  'is told what no queue took before that is confirmed': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    const order: string[] = [];
    seat.channel.on('return', () => order.push('return'));
    seat.channel.on('ack', () => order.push('ack'));
    seat.channel.publish('amq.direct', name('none'), Buffer.from('x'), {
      mandatory: true,
      messageId: 'm',
    });
    await seat.confirms(1);
    return [order, seat.returned];
  },
  'is told nothing of what need not be taken': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    seat.channel.publish('amq.direct', name('none'), Buffer.from('x'));
    return [await seat.confirms(1), seat.returned];
  },
  'has everything confirmed': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'));
    for (let n = 0; n < 200; n += 1) seat.channel.sendToQueue(name('q'), Buffer.from(String(n)));
    return [await seat.confirms(200), await seat.drain(name('q'))];
  },
  'has what a full queue refuses nacked': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'), {
      arguments: { 'x-max-length': 2, 'x-overflow': 'reject-publish' },
    });
    for (let n = 0; n < 5; n += 1) {
      seat.channel.sendToQueue(name('q'), Buffer.from(String(n)));
      await seat.confirms(n + 1);
    }
    return [seat.confirmed, await seat.drain(name('q'))];
  },
  'has what one of two queues refuses nacked': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertExchange(name('x'), 'fanout');
    await seat.channel.assertQueue(name('full'), {
      arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' },
    });
    await seat.channel.assertQueue(name('free'));
    for (const queue of ['full', 'free']) await seat.channel.bindQueue(name(queue), name('x'), '');
    for (let n = 0; n < 3; n += 1) {
      seat.channel.publish(name('x'), '', Buffer.from(String(n)));
      await seat.confirms(n + 1);
    }
    return [seat.confirmed, await seat.drain(name('full')), await seat.drain(name('free'))];
  },
  'may ask for confirms twice': async ({ url, vhost }) => {
    const client = await RawClient.connect(url);
    await client.login({ vhost });
    client.openChannel(1);
    await client.hears('1 channel.open-ok');
    const select = method(1, [85, 10], octet(0));
    client.send(select, publishNowhere);
    await client.hears('1 basic.ack');
    client.send(select, method(1, [20, 40], short(200), shortstr('bye'), short(0), short(0)));
    const heard = [...(await client.fate())];
    client.end();
    return heard;
  },
  'loses its channel, and has none of what came after': async ({ connect, name }) => {
    const peer = await connect();
    const seat = await peer.confirmSeat();
    await seat.channel.assertQueue(name('q'));
    seat.channel.sendToQueue(name('q'), Buffer.from('before'));
    await seat.confirms(1);
    seat.channel.publish(name('none'), 'k', Buffer.from('wrong'));
    seat.channel.sendToQueue(name('q'), Buffer.from('after'));
    const fate = await seat.fate(() => undefined);
    const other = await peer.seat();
    return [fate, seat.confirmed, await other.drain(name('q'))];
  },
});
