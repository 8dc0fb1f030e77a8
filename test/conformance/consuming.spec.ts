import { conforms } from './conformance.js';
import type { Stage } from './conformance.js';
import type { Peer, Seat } from './seat.js';

/** A queue that holds these bodies. */
async function holding(
  { connect, name }: Stage,
  bodies: readonly string[],
  options: Record<string, unknown> = {},
): Promise<{ peer: Peer; seat: Seat; queue: string }> {
  const peer = await connect();
  const seat = await peer.seat();
  const queue = name('q');
  await seat.channel.assertQueue(queue, { arguments: options });
  for (const body of bodies) seat.channel.sendToQueue(queue, Buffer.from(body));
  await seat.ready(queue, bodies.length);
  return { peer, seat, queue };
}

const letters = ['a', 'b', 'c', 'd', 'e'];

conforms('a consumer', {
  'gets what waits, in order, with its fields': async (stage) => {
    const { seat, queue } = await holding(stage, letters);
    await seat.consume(queue, { consumerTag: 'mine' });
    return seat.got(5);
  },
  'gets a tag of its own, if it brings none': async (stage) => {
    const { seat, queue } = await holding(stage, []);
    const tag = await seat.consume(queue);
    return [tag, tag.length];
  },
  'cannot use a tag twice on its channel': async (stage) => {
    const { peer, seat, queue } = await holding(stage, []);
    await seat.consume(queue, { consumerTag: 'mine' });
    const again = await seat.try((channel) =>
      channel.consume(queue, () => undefined, { consumerTag: 'mine' }),
    );
    return [again, await peer.end()];
  },
  'may use the same tag on two channels': async (stage) => {
    const { peer, seat, queue } = await holding(stage, []);
    const other = await peer.seat();
    return [
      await seat.consume(queue, { consumerTag: 'mine' }),
      await other.consume(queue, { consumerTag: 'mine' }),
    ];
  },
  'that is exclusive keeps others out': async (stage) => {
    const { peer, seat, queue } = await holding(stage, []);
    await seat.consume(queue, { exclusive: true });
    const other = await peer.seat();
    return other.try((channel) => channel.consume(queue, () => undefined));
  },
  'that is exclusive cannot come second': async (stage) => {
    const { peer, seat, queue } = await holding(stage, []);
    await seat.consume(queue);
    const other = await peer.seat();
    return other.try((channel) => channel.consume(queue, () => undefined, { exclusive: true }));
  },
  'with a priority that is no number': async (stage) => {
    const { seat, queue } = await holding(stage, []);
    return seat.try((channel) =>
      channel.consume(queue, () => undefined, { arguments: { 'x-priority': 'high' } }),
    );
  },
  'without acks has nothing left': async (stage) => {
    const { peer, seat, queue } = await holding(stage, letters);
    await seat.consume(queue, { noAck: true });
    const got = await seat.bodies(5);
    await seat.channel.close();
    return [got, await (await peer.seat()).ready(queue, 0)];
  },
  'gets no more than its prefetch': async (stage) => {
    const { seat, queue } = await holding(stage, letters);
    await seat.channel.prefetch(2);
    await seat.consume(queue);
    await seat.bodies(2);
    const left = await seat.ready(queue, 3);
    const [first] = seat.deliveries;
    if (first !== undefined) seat.channel.ack(first);
    return [left, await seat.bodies(3), await seat.ready(queue, 2)];
  },
  'has a prefetch of its own beside another on its channel': async (stage) => {
    const { seat, queue } = await holding(stage, letters);
    await seat.channel.prefetch(1);
    await seat.consume(queue);
    await seat.channel.prefetch(2);
    await seat.consume(queue);
    const got = await seat.bodies(3);
    return [got.length, await seat.ready(queue, 2)];
  },
  'shares the prefetch of its channel': async (stage) => {
    const { seat, queue } = await holding(stage, letters);
    await seat.channel.prefetch(3, true);
    await seat.consume(queue);
    await seat.consume(queue);
    const got = await seat.bodies(3);
    return [got.length, await seat.ready(queue, 2)];
  },
  'on a quorum queue cannot share a prefetch': async (stage) => {
    const { peer, seat, queue } = await holding(stage, [], { 'x-queue-type': 'quorum' });
    await seat.channel.prefetch(3, true);
    const refused = await seat.try((channel) => channel.consume(queue, () => undefined));
    return [refused, await peer.end()];
  },
  'acks all up to one': async (stage) => {
    const { peer, seat, queue } = await holding(stage, letters);
    await seat.consume(queue);
    await seat.bodies(5);
    const third = seat.deliveries[2];
    if (third !== undefined) seat.channel.ack(third, true);
    await seat.fate(() => undefined);
    await seat.channel.close();
    const other = await peer.seat();
    await other.ready(queue, 2);
    return other.drain(queue);
  },
  'acks everything': async (stage) => {
    const { peer, seat, queue } = await holding(stage, letters);
    await seat.consume(queue);
    await seat.bodies(5);
    seat.channel.ackAll();
    await seat.fate(() => undefined);
    await seat.channel.close();
    return (await peer.seat()).ready(queue, 0);
  },
  'acks everything though there is nothing': async (stage) => {
    const { seat } = await holding(stage, []);
    return seat.fate((channel) => channel.ackAll());
  },
  'loses its channel over a tag that it never got': async (stage) => {
    const { seat } = await holding(stage, []);
    return seat.fate((channel) => channel.ack({ fields: { deliveryTag: 99 } } as never));
  },
  'loses its channel over a second ack': async (stage) => {
    const { seat, queue } = await holding(stage, letters);
    await seat.consume(queue);
    await seat.bodies(5);
    return seat.fate((channel) => {
      const [first] = seat.deliveries;
      if (first === undefined) return;
      channel.ack(first);
      channel.ack(first);
    });
  },
  'loses its channel over an ack up to one that is done': async (stage) => {
    const { seat, queue } = await holding(stage, letters);
    await seat.consume(queue);
    await seat.bodies(5);
    return seat.fate((channel) => {
      const third = seat.deliveries[2];
      if (third === undefined) return;
      channel.ack(third);
      channel.ack(third, true);
    });
  },
  'loses its channel over a nack of nothing': async (stage) => {
    const { seat } = await holding(stage, []);
    return seat.fate((channel) => channel.nack({ fields: { deliveryTag: 7 } } as never));
  },
  'gives one back, which comes again in its place': async (stage) => {
    const { seat, queue } = await holding(stage, letters);
    await seat.channel.prefetch(2);
    await seat.consume(queue);
    await seat.bodies(2);
    const [, second] = seat.deliveries;
    if (second !== undefined) seat.channel.reject(second, true);
    const got = await seat.bodies(3);
    return got;
  },
  'gives several back, which come again in order': async (stage) => {
    const { seat, queue } = await holding(stage, letters);
    await seat.channel.prefetch(3);
    const tag = await seat.consume(queue);
    await seat.bodies(3);
    await seat.channel.cancel(tag);
    const [first, second, third] = seat.deliveries;
    for (const one of [third, first, second])
      if (one !== undefined) seat.channel.nack(one, false, true);
    await seat.ready(queue, 5);
    return seat.drain(queue);
  },
  'gives back all up to one': async (stage) => {
    const { seat, queue } = await holding(stage, letters);
    await seat.channel.prefetch(3);
    const tag = await seat.consume(queue);
    await seat.bodies(3);
    await seat.channel.cancel(tag);
    const [, second] = seat.deliveries;
    if (second !== undefined) seat.channel.nack(second, true, true);
    await seat.ready(queue, 4);
    return seat.drain(queue);
  },
  'drops what it rejects': async (stage) => {
    const { seat, queue } = await holding(stage, letters);
    await seat.channel.prefetch(1);
    await seat.consume(queue);
    await seat.bodies(1);
    const [first] = seat.deliveries;
    if (first !== undefined) seat.channel.reject(first, false);
    return [await seat.bodies(2), await seat.ready(queue, 3)];
  },
  'keeps what it has when it cancels, and can ack it': async (stage) => {
    const { peer, seat, queue } = await holding(stage, letters);
    await seat.channel.prefetch(2);
    const tag = await seat.consume(queue);
    await seat.bodies(2);
    await seat.channel.cancel(tag);
    const left = await seat.ready(queue, 3);
    const [first] = seat.deliveries;
    if (first !== undefined) seat.channel.ack(first);
    await seat.fate(() => undefined);
    await seat.channel.close();
    const other = await peer.seat();
    await other.ready(queue, 4);
    return [left, await other.drain(queue)];
  },
  'cancels what is not there': async (stage) => {
    const { seat } = await holding(stage, []);
    return seat.try((channel) => channel.cancel('nobody'));
  },
  'that goes with its channel leaves all, in order, as seen before': async (stage) => {
    const { peer, seat, queue } = await holding(stage, letters);
    await seat.consume(queue);
    await seat.bodies(5);
    await seat.channel.close();
    const other = await peer.seat();
    await other.ready(queue, 5);
    await other.consume(queue);
    return other.bodies(5);
  },
  'that goes with its connection leaves all': async (stage) => {
    const { peer, seat, queue } = await holding(stage, letters);
    await seat.consume(queue);
    await seat.bodies(5);
    await peer.close();
    const other = await (await stage.connect()).seat();
    await other.ready(queue, 5);
    await other.consume(queue);
    return other.bodies(5);
  },
  'is told when its queue is deleted': async (stage) => {
    const { peer, seat, queue } = await holding(stage, letters);
    await seat.channel.prefetch(1);
    await seat.consume(queue);
    await seat.bodies(1);
    await (await peer.seat()).channel.deleteQueue(queue);
    await seat.fate(() => undefined);
    const late = await seat.fate((channel) => {
      const [first] = seat.deliveries;
      if (first !== undefined) channel.ack(first);
    });
    return [seat.cancelled, late];
  },
  'takes turns with others': async (stage) => {
    const { seat, queue } = await holding(stage, []);
    const got: string[] = [];
    for (const who of ['one', 'two']) {
      await seat.channel.consume(
        queue,
        (message) => got.push(`${who} ${message?.content.toString()}`),
        { noAck: true },
      );
    }
    for (const body of letters) {
      seat.channel.sendToQueue(queue, Buffer.from(body));
      const { length } = got;
      for (let turn = 0; turn < 100 && got.length === length; turn += 1)
        await seat.fate(() => undefined);
    }
    return got;
  },
  'of higher priority is served first, while it has room': async (stage) => {
    const { seat, queue } = await holding(stage, []);
    const got: string[] = [];
    await seat.channel.prefetch(2);
    for (const [who, priority] of [
      ['low', 1],
      ['high', 9],
    ] as const) {
      await seat.channel.consume(
        queue,
        (message) => got.push(`${who} ${message?.content.toString()}`),
        { arguments: { 'x-priority': priority } },
      );
    }
    for (const body of letters.slice(0, 4)) {
      seat.channel.sendToQueue(queue, Buffer.from(body));
      const { length } = got;
      for (let turn = 0; turn < 100 && got.length === length; turn += 1)
        await seat.fate(() => undefined);
    }
    return got;
  },
  'that is the single active one gets all until it goes': async (stage) => {
    const { seat, queue } = await holding(stage, [], { 'x-single-active-consumer': true });
    const got: string[] = [];
    const tags: string[] = [];
    for (const who of ['one', 'two']) {
      const { consumerTag } = await seat.channel.consume(
        queue,
        (message) => got.push(`${who} ${message?.content.toString()}`),
        { noAck: true },
      );
      tags.push(consumerTag);
    }
    const send = async (body: string): Promise<void> => {
      seat.channel.sendToQueue(queue, Buffer.from(body));
      const { length } = got;
      for (let turn = 0; turn < 100 && got.length === length; turn += 1)
        await seat.fate(() => undefined);
    };
    await send('a');
    await send('b');
    await seat.channel.cancel(tags[0] ?? '');
    await send('c');
    return got;
  },
  'recovers what it has not acked': async (stage) => {
    const { seat, queue } = await holding(stage, ['a', 'b']);
    await seat.consume(queue);
    await seat.bodies(2);
    await seat.try((channel) => channel.recover());
    return seat.bodies(4);
  },
});

conforms('getting one by one', {
  'tells how many are left': async (stage) => {
    const { seat, queue } = await holding(stage, ['a', 'b']);
    return [await seat.get(queue), await seat.get(queue), await seat.get(queue)];
  },
  'takes it until it is acked': async (stage) => {
    const { peer, seat, queue } = await holding(stage, ['a', 'b']);
    const first = await seat.get(queue, {});
    const between = await seat.ready(queue, 1);
    await seat.channel.close();
    const other = await peer.seat();
    await other.ready(queue, 2);
    return [first, between, await other.get(queue)];
  },
  'does not count for a prefetch': async (stage) => {
    const { seat, queue } = await holding(stage, letters);
    await seat.channel.prefetch(1);
    await seat.get(queue, {});
    await seat.consume(queue);
    return seat.bodies(1);
  },
});
