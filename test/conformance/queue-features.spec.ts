import { conforms } from './conformance.js';
import type { Case, Stage } from './conformance.js';
import type { Seat } from './seat.js';

/** A queue with a dead-letter exchange, and the queue that this leads to. */
async function withDeadLetters(
  { connect, name }: Stage,
  table: Record<string, unknown> = {},
): Promise<{ seat: Seat; queue: string; dead: string }> {
  const seat = await (await connect()).confirmSeat();
  const [queue, dead, exchange] = [name('q'), name('dead'), name('dlx')];
  await seat.channel.assertExchange(exchange, 'fanout');
  await seat.channel.assertQueue(dead);
  await seat.channel.bindQueue(dead, exchange, '');
  await seat.channel.assertQueue(queue, {
    arguments: { 'x-dead-letter-exchange': exchange, ...table },
  });
  return { seat, queue, dead };
}

const send = async (seat: Seat, queue: string, ...bodies: string[]): Promise<void> => {
  const before = seat.confirmed.length;
  for (const body of bodies) seat.channel.sendToQueue(queue, Buffer.from(body));
  await seat.confirms(before + bodies.length);
};

const rejecting =
  (
    table: Record<string, unknown>,
    headers: Record<string, unknown> = {},
    more: object = {},
  ): Case =>
  async (stage) => {
    const { seat, queue, dead } = await withDeadLetters(stage, table);
    seat.channel.sendToQueue(queue, Buffer.from('bad'), { headers, messageId: 'm', ...more });
    await seat.confirms(1);
    await seat.consume(queue);
    await seat.got(1);
    const [first] = seat.deliveries;
    if (first !== undefined) seat.channel.reject(first, false);
    await seat.ready(dead, 1);
    return seat.get(dead);
  };

const limited =
  (table: Record<string, unknown>, bodies: readonly string[]): Case =>
  async (stage) => {
    const { seat, queue, dead } = await withDeadLetters(stage, table);
    for (const body of bodies) await send(seat, queue, body);
    await seat.ready(queue, 2);
    return [seat.confirmed, await seat.drain(queue), await seat.drain(dead)];
  };

conforms('dead letters', {
  'of what is rejected': rejecting({}),
  'with a key of their own': rejecting({ 'x-dead-letter-routing-key': 'grave' }),
  'keep their headers and properties': rejecting(
    {},
    { mine: 1, list: [1, 2] },
    { priority: 3, type: 't', expiration: '60000' },
  ),
  'of a quorum queue': rejecting({ 'x-queue-type': 'quorum' }),
  'to further keys': async (stage) => {
    const { connect, name } = stage;
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertExchange(name('dlx'), 'direct');
    for (const queue of ['one', 'two']) {
      await seat.channel.assertQueue(name(queue));
      await seat.channel.bindQueue(name(queue), name('dlx'), name(queue));
    }
    await seat.channel.assertQueue(name('q'), {
      arguments: { 'x-dead-letter-exchange': name('dlx') },
    });
    seat.channel.publish('', name('q'), Buffer.from('x'), { CC: [name('one'), name('two')] });
    await seat.confirms(1);
    for (const queue of ['q', 'one', 'two']) await seat.ready(name(queue), 1);
    await seat.drain(name('one'));
    await seat.drain(name('two'));
    await seat.consume(name('q'));
    await seat.got(1);
    const [first] = seat.deliveries;
    if (first !== undefined) seat.channel.reject(first, false);
    await seat.ready(name('one'), 1);
    await seat.ready(name('two'), 1);
    return [await seat.get(name('one')), await seat.get(name('two'))];
  },
  'of what expires in a queue': async (stage) => {
    const { seat, queue, dead } = await withDeadLetters(stage, { 'x-message-ttl': 30 });
    await send(seat, queue, 'old');
    await seat.ready(dead, 1);
    return seat.get(dead);
  },
  'of what expires by itself': async (stage) => {
    const { seat, queue, dead } = await withDeadLetters(stage);
    seat.channel.sendToQueue(queue, Buffer.from('old'), { expiration: '30' });
    await seat.confirms(1);
    await seat.ready(dead, 1);
    return seat.get(dead);
  },
  'of what expires at once': async (stage) => {
    const { seat, queue, dead } = await withDeadLetters(stage, { 'x-message-ttl': 0 });
    await send(seat, queue, 'old');
    await seat.ready(dead, 1);
    return seat.get(dead);
  },
  'of what is too much': limited({ 'x-max-length': 2 }, ['a', 'b', 'c', 'd']),
  'of what are too many bytes': limited({ 'x-max-length-bytes': 10 }, [
    'aaaa',
    'bbbb',
    'cccc',
    'dddd',
  ]),
  'of what is refused': limited({ 'x-max-length': 2, 'x-overflow': 'reject-publish-dlx' }, [
    'a',
    'b',
    'c',
    'd',
  ]),
  'not of what is refused otherwise': limited(
    { 'x-max-length': 2, 'x-overflow': 'reject-publish' },
    ['a', 'b', 'c'],
  ),
  'into an exchange that is missing are gone': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'), {
      arguments: { 'x-dead-letter-exchange': name('none'), 'x-message-ttl': 20 },
    });
    await send(seat, name('q'), 'lost');
    return seat.ready(name('q'), 0);
  },
  'count how often they die in the same place': async (stage) => {
    const { connect, name } = stage;
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('work'), {
      arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': name('wait') },
    });
    await seat.channel.assertQueue(name('wait'), {
      arguments: {
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': name('work'),
        'x-message-ttl': 20,
      },
    });
    await send(seat, name('work'), 'again');
    await seat.consume(name('work'));
    for (let turn = 1; turn <= 3; turn += 1) {
      await seat.got(turn);
      const last = seat.deliveries.at(-1);
      if (last !== undefined) seat.channel.reject(last, false);
    }
    return seat.got(4);
  },
  'do not go round by themselves for ever': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('a'), {
      arguments: {
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': name('b'),
        'x-message-ttl': 20,
      },
    });
    await seat.channel.assertQueue(name('b'), {
      arguments: {
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': name('a'),
        'x-message-ttl': 20,
      },
    });
    await send(seat, name('a'), 'round');
    return [await seat.ready(name('a'), 0), await seat.ready(name('b'), 0)];
  },
});

conforms('limits of a queue', {
  'on messages drop from its head': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'), { maxLength: 2 });
    await send(seat, name('q'), 'a', 'b', 'c');
    return seat.drain(name('q'));
  },
  'do not count what is with a consumer': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'), { maxLength: 1 });
    await seat.consume(name('q'));
    await send(seat, name('q'), 'a', 'b');
    return [await seat.bodies(2), seat.confirmed];
  },
  'drop what is given back, if there is no room': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'), { maxLength: 1 });
    await send(seat, name('q'), 'a');
    const got = await seat.get(name('q'), {});
    await send(seat, name('q'), 'b');
    seat.channel.nackAll(true);
    await seat.fate(() => undefined);
    return [got, await seat.ready(name('q'), 1), await seat.drain(name('q'))];
  },
  'on its time drop what is older, at its head': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'));
    seat.channel.sendToQueue(name('q'), Buffer.from('first'), { expiration: '60000' });
    seat.channel.sendToQueue(name('q'), Buffer.from('second'), { expiration: '10' });
    await seat.confirms(2);
    const waiting = await seat.ready(name('q'), 2);
    const got = await seat.get(name('q'));
    return [waiting, got !== 'empty', await seat.ready(name('q'), 0)];
  },
  'take the shorter of two times': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'), { messageTtl: 60_000 });
    seat.channel.sendToQueue(name('q'), Buffer.from('x'), { expiration: '20' });
    await seat.confirms(1);
    return seat.ready(name('q'), 0);
  },
  'of no time at all let a waiting consumer have it': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'), { messageTtl: 0 });
    await seat.consume(name('q'));
    await send(seat, name('q'), 'now');
    return seat.bodies(1);
  },
});

conforms('priorities', {
  'come first, else in order': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'), { maxPriority: 5 });
    for (const [body, priority] of [
      ['a', 0],
      ['b', 3],
      ['c', 5],
      ['d', 3],
      ['e', 9],
    ] as const) {
      seat.channel.sendToQueue(name('q'), Buffer.from(body), { priority });
    }
    seat.channel.sendToQueue(name('q'), Buffer.from('f'));
    await seat.confirms(6);
    return seat.drain(name('q'));
  },
  'mean nothing to a queue without them': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'));
    for (const [body, priority] of [
      ['a', 0],
      ['b', 9],
    ] as const) {
      seat.channel.sendToQueue(name('q'), Buffer.from(body), { priority });
    }
    await seat.confirms(2);
    return seat.drain(name('q'));
  },
});

const quorum = { 'x-queue-type': 'quorum' };

conforms('a quorum queue', {
  'counts how often a message came back': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'), { arguments: quorum });
    await send(seat, name('q'), 'x');
    await seat.consume(name('q'));
    for (let turn = 1; turn <= 3; turn += 1) {
      await seat.got(turn);
      const last = seat.deliveries.at(-1);
      if (last !== undefined) seat.channel.nack(last, false, true);
    }
    return seat.got(4);
  },
  'counts what a channel took with it': async ({ connect, name }) => {
    const peer = await connect();
    const seat = await peer.confirmSeat();
    await seat.channel.assertQueue(name('q'), { arguments: quorum });
    await send(seat, name('q'), 'x');
    const first = await peer.seat();
    await first.consume(name('q'));
    await first.got(1);
    await first.channel.close();
    await seat.consume(name('q'));
    return seat.got(1);
  },
  'gives up after its limit': async (stage) => {
    const { seat, queue, dead } = await withDeadLetters(stage, {
      ...quorum,
      'x-delivery-limit': 2,
    });
    await send(seat, queue, 'x');
    await seat.consume(queue);
    for (let turn = 1; turn <= 3; turn += 1) {
      await seat.got(turn);
      const last = seat.deliveries.at(-1);
      if (last !== undefined) seat.channel.reject(last, true);
    }
    await seat.ready(dead, 1);
    return [await seat.get(dead), await seat.got(3)];
  },
  'serves what came back behind the rest, in the order in which it did': async ({
    connect,
    name,
  }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'), { arguments: quorum });
    await send(seat, name('q'), 'a', 'b', 'c', 'd');
    await seat.channel.prefetch(3);
    const tag = await seat.consume(name('q'));
    await seat.bodies(3);
    await seat.channel.cancel(tag);
    const [first, second, third] = seat.deliveries;
    for (const one of [third, first, second]) {
      if (one !== undefined) seat.channel.nack(one, false, true);
    }
    await seat.ready(name('q'), 4);
    return seat.drain(name('q'));
  },
  'drops from its head beyond its length': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'), { arguments: { ...quorum, 'x-max-length': 2 } });
    for (const body of ['a', 'b', 'c']) await send(seat, name('q'), body);
    await seat.ready(name('q'), 2);
    return seat.drain(name('q'));
  },
});

conforms('direct replies', {
  'go straight to who waits for them': async ({ connect, name }) => {
    const peer = await connect();
    const asking = await peer.seat();
    const answering = await (await connect()).seat();
    await answering.channel.assertQueue(name('rpc'));
    await answering.consume(name('rpc'), { noAck: true });
    const tag = await asking.consume('amq.rabbitmq.reply-to', { noAck: true });
    asking.channel.sendToQueue(name('rpc'), Buffer.from('?'), {
      replyTo: 'amq.rabbitmq.reply-to',
      correlationId: '1',
    });
    await answering.got(1);
    const replyTo = String(answering.deliveries[0]?.properties.replyTo);
    answering.channel.sendToQueue(replyTo, Buffer.from('!'), { correlationId: '1' });
    const got = await asking.got(1);
    return [
      tag.startsWith('amq.ctag-'),
      replyTo.startsWith('amq.rabbitmq.reply-to.g'),
      JSON.stringify(got).replaceAll(replyTo, 'REPLY'),
      await answering
        .try((channel) => channel.checkQueue(replyTo))
        .then((found) => JSON.stringify(found).replaceAll(replyTo, 'REPLY')),
    ];
  },
  'cannot be acknowledged': async ({ connect }) => {
    const seat = await (await connect()).seat();
    return [
      await seat.try((channel) => channel.consume('amq.rabbitmq.reply-to', () => undefined)),
      seat.closed,
    ];
  },
  'are waited for once a channel': async ({ connect }) => {
    const seat = await (await connect()).seat();
    await seat.consume('amq.rabbitmq.reply-to', { noAck: true });
    return [
      await seat.try((channel) =>
        channel.consume('amq.rabbitmq.reply-to', () => undefined, { noAck: true }),
      ),
      seat.closed,
    ];
  },
  'cannot be asked for by one who does not wait': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    return seat.fate((channel) =>
      channel.publish('', name('q'), Buffer.from('?'), { replyTo: 'amq.rabbitmq.reply-to' }),
    );
  },
});
