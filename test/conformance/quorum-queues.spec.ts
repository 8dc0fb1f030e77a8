import type { ConsumeMessage, GetMessage } from 'amqplib';
import { conforms } from './conformance.js';
import type { Case, Stage } from './conformance.js';
import type { Observed, Peer, Seat } from './seat.js';

type Table = Readonly<Record<string, unknown>>;

interface Ground {
  readonly peer: Peer;
  readonly seat: Seat;
  readonly queue: string;
  /** Where the dead letters go. */
  readonly dead: string;
}

const send = async (seat: Seat, queue: string, ...bodies: string[]): Promise<void> => {
  const before = seat.confirmed.length;
  for (const body of bodies) {
    seat.channel.sendToQueue(queue, Buffer.from(body));
    // One by one: what is refused depends on what is in the queue by then.
    await seat.confirms(before + bodies.indexOf(body) + 1);
  }
};

/** A quorum queue with a dead-letter queue that holds these bodies. */
async function ground(
  { connect, name }: Stage,
  table: Table = {},
  ...bodies: string[]
): Promise<Ground> {
  const peer = await connect();
  const seat = await peer.confirmSeat();
  const [queue, dead] = [name('q'), name('dead')];
  await seat.channel.assertQueue(dead);
  await seat.channel.assertQueue(queue, {
    arguments: {
      'x-queue-type': 'quorum',
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': dead,
      ...table,
    },
  });
  await send(seat, queue, ...bodies);
  return { peer, seat, queue, dead };
}

const taken = async (seat: Seat, queue: string): Promise<GetMessage> => {
  const message = await seat.channel.get(queue);
  if (message === false) throw new Error(`${queue} is empty`);
  return message;
};

const marks = ({ content, fields, properties }: ConsumeMessage | GetMessage): Observed => ({
  body: content.toString(),
  redelivered: fields.redelivered,
  headers: { ...properties.headers },
});

/** Gets everything that is there, with its marks. */
const rest = async (seat: Seat, queue: string): Promise<Observed[]> => {
  const seen: Observed[] = [];
  for (;;) {
    const message = await seat.channel.get(queue, { noAck: true });
    if (message === false) return seen;
    seen.push(marks(message));
  }
};

/** Consumes all, gives back in this order, and sees in which order they come again. */
const givingBack =
  (table: Table, give: (seat: Seat, messages: readonly ConsumeMessage[]) => void): Case =>
  async (stage) => {
    const { peer, seat, queue } = await ground(stage, table, 'a', 'b', 'c', 'd', 'e');
    const consumer = await peer.seat();
    await consumer.channel.prefetch(3);
    const tag = await consumer.consume(queue);
    await consumer.got(3);
    await consumer.channel.cancel(tag);
    give(consumer, consumer.deliveries);
    await consumer.fate(() => undefined);
    await seat.ready(queue, 5);
    return rest(seat, queue);
  };

const limit = { 'x-delivery-limit': 5 };

const nackEach =
  (...order: readonly number[]) =>
  ({ channel }: Seat, messages: readonly ConsumeMessage[]): void => {
    for (const index of order) {
      const message = messages[index];
      if (message !== undefined) channel.nack(message, false, true);
    }
  };

conforms('what a quorum queue is given back', {
  'one by one': givingBack({}, nackEach(0, 1, 2)),
  'one by one, backwards': givingBack({}, nackEach(2, 1, 0)),
  'all at once': givingBack({}, ({ channel }) => channel.nackAll(true)),
  'by recovery': givingBack({}, ({ channel }) => void channel.recover()),
  'one by one, with a delivery limit': givingBack(limit, nackEach(0, 1, 2)),
  'one by one, backwards, with a delivery limit': givingBack(limit, nackEach(2, 1, 0)),
  'all at once, with a delivery limit': givingBack(limit, ({ channel }) => channel.nackAll(true)),
  'by recovery, with a delivery limit': givingBack(limit, ({ channel }) => void channel.recover()),
  'by the end of a channel': async (stage) => {
    const { peer, seat, queue } = await ground(stage, {}, 'a', 'b', 'c', 'd');
    const consumer = await peer.seat();
    await consumer.channel.prefetch(2);
    await consumer.consume(queue);
    await consumer.got(2);
    await consumer.channel.close();
    await seat.ready(queue, 4);
    return rest(seat, queue);
  },
  'by the end of a connection, with a delivery limit': async (stage) => {
    const { seat, queue } = await ground(stage, limit, 'a', 'b', 'c', 'd');
    const other = await stage.connect();
    const consumer = await other.seat();
    await consumer.channel.prefetch(2);
    await consumer.consume(queue);
    await consumer.got(2);
    await other.close();
    await seat.ready(queue, 4);
    return rest(seat, queue);
  },
  'after a get, and by the end of its channel': async (stage) => {
    const { peer, seat, queue } = await ground(stage, {}, 'a', 'b', 'c');
    const getter = await peer.seat();
    await taken(getter, queue);
    await taken(getter, queue);
    await getter.channel.close();
    await seat.ready(queue, 3);
    return rest(seat, queue);
  },
  'goes to who consumes, behind what waits': async (stage) => {
    const { peer, queue } = await ground(stage, {}, 'a', 'b', 'c');
    const consumer = await peer.seat();
    await consumer.channel.prefetch(1);
    await consumer.consume(queue);
    await consumer.got(1);
    const first = consumer.deliveries[0];
    if (first !== undefined) consumer.channel.nack(first, false, true);
    for (let count = 2; count <= 4; count += 1) {
      await consumer.got(count);
      const last = consumer.deliveries.at(-1);
      if (last !== undefined) consumer.channel.ack(last);
    }
    return consumer.deliveries.map(marks);
  },
  'goes to who consumes, before what waits, with a delivery limit': async (stage) => {
    const { peer, queue } = await ground(stage, limit, 'a', 'b', 'c');
    const consumer = await peer.seat();
    await consumer.channel.prefetch(1);
    await consumer.consume(queue);
    await consumer.got(1);
    const first = consumer.deliveries[0];
    if (first !== undefined) consumer.channel.nack(first, false, true);
    for (let count = 2; count <= 4; count += 1) {
      await consumer.got(count);
      const last = consumer.deliveries.at(-1);
      if (last !== undefined) consumer.channel.ack(last);
    }
    return consumer.deliveries.map(marks);
  },
});

const dyingOf =
  (deliveryLimit: number): Case =>
  async (stage) => {
    const { peer, seat, queue, dead } = await ground(
      stage,
      { 'x-delivery-limit': deliveryLimit },
      'x',
    );
    const consumer = await peer.seat();
    await consumer.consume(queue);
    for (let turn = 1; turn <= deliveryLimit + 1; turn += 1) {
      await consumer.got(turn);
      const last = consumer.deliveries.at(-1);
      if (last !== undefined) consumer.channel.nack(last, false, true);
    }
    await seat.ready(dead, 1);
    return [consumer.deliveries.map(marks), await seat.get(dead), await seat.ready(queue, 0)];
  };

conforms('a delivery limit', {
  'of 0': dyingOf(0),
  'of 1': dyingOf(1),
  'of 3': dyingOf(3),
  'counts what a channel took with it': async (stage) => {
    const { peer, seat, queue, dead } = await ground(stage, { 'x-delivery-limit': 1 }, 'x');
    for (let turn = 0; turn < 2; turn += 1) {
      const consumer = await peer.seat();
      await consumer.consume(queue);
      await consumer.got(1);
      await consumer.channel.close();
    }
    await seat.ready(dead, 1);
    return seat.get(dead);
  },
  'counts what was got': async (stage) => {
    const { seat, queue, dead } = await ground(stage, { 'x-delivery-limit': 1 }, 'x');
    const seen: Observed[] = [];
    for (let turn = 0; turn < 2; turn += 1) {
      const message = await taken(seat, queue);
      seen.push(marks(message));
      seat.channel.nack(message, false, true);
      await seat.ready(turn === 0 ? queue : dead, 1);
    }
    return [seen, await seat.get(dead)];
  },
  'drops what has no place to go to': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    const queue = name('q');
    await seat.channel.assertQueue(queue, {
      arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 0 },
    });
    await send(seat, queue, 'x');
    seat.channel.nack(await taken(seat, queue), false, true);
    return [await seat.ready(queue, 0), await seat.get(queue)];
  },
});

const filled =
  (table: Table, ...bodies: string[]): Case =>
  async (stage) => {
    const { seat, queue, dead } = await ground(stage, table, ...bodies);
    const answers = [...seat.confirmed];
    await seat.channel.checkQueue(queue);
    return [answers, await rest(seat, queue), await rest(seat, dead)];
  };

conforms('a limit of a quorum queue', {
  'on messages': filled({ 'x-max-length': 2 }, 'a', 'b', 'c', 'd'),
  'on messages, 0': filled({ 'x-max-length': 0 }, 'a', 'b'),
  'on bytes': filled({ 'x-max-length-bytes': 6 }, 'aaa', 'bbb', 'ccc', 'd'),
  'on both': filled({ 'x-max-length': 3, 'x-max-length-bytes': 6 }, 'aaa', 'b', 'c', 'd', 'eeee'),
  'on messages, that refuses': filled(
    { 'x-max-length': 2, 'x-overflow': 'reject-publish' },
    'a',
    'b',
    'c',
    'd',
    'e',
  ),
  'on bytes, that refuses': filled(
    { 'x-max-length-bytes': 6, 'x-overflow': 'reject-publish' },
    'aaa',
    'bbb',
    'ccc',
    'd',
    'e',
  ),
  'on messages, that would dead-letter what it refuses': filled(
    { 'x-max-length': 2, 'x-overflow': 'reject-publish-dlx' },
    'a',
    'b',
    'c',
  ),
  'that refuses, from a second channel': async (stage) => {
    const { peer, seat, queue } = await ground(
      stage,
      { 'x-max-length': 2, 'x-overflow': 'reject-publish' },
      'a',
      'b',
      'c',
    );
    const other = await peer.confirmSeat();
    await send(other, queue, 'd');
    return [other.confirmed, await seat.ready(queue, 3)];
  },
  'that refuses takes again when there is room enough': async (stage) => {
    const { seat, queue } = await ground(
      stage,
      { 'x-max-length': 5, 'x-overflow': 'reject-publish' },
      'a',
      'b',
      'c',
      'd',
      'e',
      'f',
      'g',
    );
    await taken(seat, queue);
    await send(seat, queue, 'h');
    await taken(seat, queue);
    await seat.channel.checkQueue(queue);
    return [seat.confirmed, await seat.ready(queue, 4)];
  },
  'does not count what is with a consumer': async (stage) => {
    const { peer, seat, queue } = await ground(stage, { 'x-max-length': 2 }, 'a', 'b');
    const consumer = await peer.seat();
    await consumer.consume(queue);
    await consumer.got(2);
    await send(seat, queue, 'c', 'd');
    return consumer.bodies(4);
  },
});

conforms('time in a quorum queue', {
  'of a queue': async (stage) => {
    const { seat, queue, dead } = await ground(stage, { 'x-message-ttl': 30 }, 'x');
    await seat.ready(dead, 1);
    return [await seat.get(dead), await seat.get(queue)];
  },
  'of a message': async (stage) => {
    const { seat, queue, dead } = await ground(stage);
    seat.channel.sendToQueue(queue, Buffer.from('x'), { expiration: '30' });
    await seat.ready(dead, 1);
    return seat.get(dead);
  },
  'of a message, the shorter of two': async (stage) => {
    const { seat, queue, dead } = await ground(stage, { 'x-message-ttl': 60_000 });
    seat.channel.sendToQueue(queue, Buffer.from('x'), { expiration: '30' });
    await seat.ready(dead, 1);
    return seat.get(dead);
  },
  'of 0, while nobody consumes': async (stage) => {
    const { seat, queue, dead } = await ground(stage, { 'x-message-ttl': 0 }, 'x');
    await seat.ready(dead, 1);
    return seat.get(queue);
  },
  'behind what stays': async (stage) => {
    const { seat, queue, dead } = await ground(stage);
    seat.channel.sendToQueue(queue, Buffer.from('stays'));
    seat.channel.sendToQueue(queue, Buffer.from('goes'), { expiration: '10' });
    await seat.confirms(2);
    const waiting = await seat.ready(queue, 2);
    const first = await taken(seat, queue);
    await seat.ready(dead, 1);
    return [waiting, marks(first), await rest(seat, dead)];
  },
  'of what was given back': async (stage) => {
    const { seat, queue, dead } = await ground(stage, { 'x-message-ttl': 200 }, 'x');
    seat.channel.nack(await taken(seat, queue), false, true);
    await seat.ready(dead, 1);
    return seat.get(dead);
  },
});

conforms('consumers of a quorum queue', {
  'of which one is active': async (stage) => {
    const { peer, seat, queue } = await ground(stage, { 'x-single-active-consumer': true });
    const [one, other] = [await peer.seat(), await peer.seat()];
    const tag = await one.consume(queue);
    await other.consume(queue);
    await send(seat, queue, 'a', 'b');
    const before = await one.bodies(2);
    await one.channel.cancel(tag);
    await send(seat, queue, 'c');
    return [before, await other.bodies(1), one.deliveries.length];
  },
  'of which one is active have nothing got': async (stage) => {
    const { peer, queue } = await ground(stage, { 'x-single-active-consumer': true }, 'x');
    const other = await peer.seat();
    return [await other.try((channel) => channel.get(queue)), other.closed];
  },
  'of which one is active, the first, whatever their priorities': async (stage) => {
    const { peer, seat, queue } = await ground(stage, { 'x-single-active-consumer': true });
    const [one, other] = [await peer.seat(), await peer.seat()];
    await one.consume(queue, { priority: 1 });
    await other.consume(queue, { priority: 5 });
    await send(seat, queue, 'a', 'b');
    return [await one.bodies(2), other.deliveries.length];
  },
  'with priorities': async (stage) => {
    const { peer, seat, queue } = await ground(stage);
    const [low, high] = [await peer.seat(), await peer.seat()];
    await low.consume(queue, { priority: 1 });
    await high.channel.prefetch(2);
    await high.consume(queue, { priority: 5 });
    await send(seat, queue, 'a', 'b', 'c');
    return [await high.bodies(2), await low.bodies(1)];
  },
  'take turns': async (stage) => {
    const { peer, seat, queue } = await ground(stage);
    const [one, other] = [await peer.seat(), await peer.seat()];
    await one.consume(queue);
    await other.consume(queue);
    await send(seat, queue, 'a', 'b', 'c', 'd');
    return [await one.bodies(2), await other.bodies(2)];
  },
  'without acks': async (stage) => {
    const { peer, seat, queue } = await ground(stage, {}, 'a', 'b');
    const consumer = await peer.seat();
    await consumer.consume(queue, { noAck: true });
    const got = await consumer.got(2);
    await consumer.channel.close();
    return [got, await seat.ready(queue, 0)];
  },
  'that are exclusive keep nobody out': async (stage) => {
    const { peer, queue } = await ground(stage);
    const [one, other] = [await peer.seat(), await peer.seat()];
    return [
      await one.try((channel) =>
        channel.consume(queue, () => undefined, { exclusive: true, consumerTag: 't1' }),
      ),
      await other.try((channel) =>
        channel.consume(queue, () => undefined, { exclusive: true, consumerTag: 't2' }),
      ),
    ];
  },
  'cannot share a prefetch': async (stage) => {
    const { queue } = await ground(stage);
    const peer = await stage.connect();
    const seat = await peer.seat();
    await seat.channel.prefetch(5, true);
    seat.channel.consume(queue, () => undefined).catch(() => undefined);
    return peer.end();
  },
  'can share a prefetch that was lifted again': async (stage) => {
    const { peer, queue } = await ground(stage, {}, 'a', 'b');
    const [one, other] = [await peer.seat(), await peer.seat()];
    await one.channel.prefetch(1, true);
    await one.channel.prefetch(0, true);
    await one.consume(queue);
    const first = await one.bodies(2);
    await other.channel.prefetch(1, true);
    await other.channel.prefetch(1, false);
    return [
      first,
      await other.try((channel) => channel.consume(queue, () => undefined, { consumerTag: 't' })),
    ];
  },
  'keep what they have when they cancel, and may give it back': async (stage) => {
    const { peer, seat, queue } = await ground(stage, {}, 'a', 'b');
    const consumer = await peer.seat();
    const tag = await consumer.consume(queue);
    await consumer.got(2);
    await consumer.channel.cancel(tag);
    const waiting = await seat.ready(queue, 0);
    consumer.channel.nackAll(true);
    return [waiting, await seat.ready(queue, 2), await rest(seat, queue)];
  },
  'are told when it is deleted': async (stage) => {
    const { peer, seat, queue } = await ground(stage);
    const consumer = await peer.seat();
    await consumer.consume(queue);
    await seat.channel.deleteQueue(queue);
    await consumer.fate(() => undefined);
    return consumer.cancelled.map((name) => name === queue);
  },
});

conforms('a quorum queue', {
  'is purged of what is ready': async (stage) => {
    const { seat, queue, dead } = await ground(stage, {}, 'a', 'b', 'c');
    const first = await taken(seat, queue);
    const purged = await seat.channel.purgeQueue(queue);
    const empty = await seat.ready(queue, 0);
    seat.channel.nack(first, false, true);
    return [purged, empty, await seat.ready(queue, 1), await rest(seat, dead)];
  },
  'is deleted with a count of its messages': async (stage) => {
    const { seat, queue } = await ground(stage, {}, 'a', 'b', 'c');
    await taken(seat, queue);
    return seat.channel.deleteQueue(queue);
  },
  'tells how many are left': async (stage) => {
    const { seat, queue } = await ground(stage, {}, 'a', 'b', 'c');
    return [
      await seat.get(queue, {}),
      await seat.get(queue),
      await seat.get(queue),
      await seat.get(queue),
    ];
  },
  'rejects to where the dead go': async (stage) => {
    const { peer, seat, queue, dead } = await ground(stage, {}, 'a', 'b', 'c');
    const consumer = await peer.seat();
    await consumer.consume(queue);
    await consumer.got(3);
    for (const message of consumer.deliveries.toReversed()) consumer.channel.reject(message, false);
    await seat.ready(dead, 3);
    return rest(seat, dead);
  },
  'rejects all up to one': async (stage) => {
    const { peer, seat, queue, dead } = await ground(stage, {}, 'a', 'b', 'c');
    const consumer = await peer.seat();
    await consumer.consume(queue);
    await consumer.got(3);
    const second = consumer.deliveries[1];
    if (second !== undefined) consumer.channel.nack(second, true, false);
    await seat.ready(dead, 2);
    return rest(seat, dead);
  },
  'takes priorities for nothing': async (stage) => {
    const { seat, queue } = await ground(stage);
    seat.channel.sendToQueue(queue, Buffer.from('a'), { priority: 1 });
    seat.channel.sendToQueue(queue, Buffer.from('b'), { priority: 9 });
    await seat.confirms(2);
    return rest(seat, queue);
  },
  'keeps a count of deliveries that a publisher has set': async (stage) => {
    const { seat, queue } = await ground(stage);
    seat.channel.sendToQueue(queue, Buffer.from('a'), { headers: { 'x-delivery-count': 7, b: 1 } });
    await seat.confirms(1);
    const first = await taken(seat, queue);
    seat.channel.nack(first, false, true);
    await seat.ready(queue, 1);
    return [marks(first), await rest(seat, queue)];
  },
  'is bound and routed to as any other': async (stage) => {
    const { seat, queue } = await ground(stage);
    await seat.channel.bindQueue(queue, 'amq.topic', `${queue}.#`);
    seat.channel.publish('amq.topic', `${queue}.a`, Buffer.from('x'), { persistent: false });
    await seat.confirms(1);
    return seat.get(queue);
  },
});
