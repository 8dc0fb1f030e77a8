import type { Options } from 'amqplib';
import type { Case } from './conformance.js';
import { conforms } from './conformance.js';

type Declare = Options.AssertQueue & { arguments?: Record<string, unknown> };

const twice =
  (first: Declare, second: Declare): Case =>
  async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    return [
      await seat.try((channel) => channel.assertQueue(name('q'), first)),
      await seat.try((channel) => channel.assertQueue(name('q'), second)),
      seat.closed,
    ];
  };

const once =
  (options: Declare): Case =>
  async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    return [await seat.try((channel) => channel.assertQueue(name('q'), options)), seat.closed];
  };

const args = (table: Record<string, unknown>): Declare => ({ arguments: table });

const quorum = (table: Record<string, unknown> = {}): Declare =>
  args({ 'x-queue-type': 'quorum', ...table });

conforms('declaring a queue', {
  'twice in the same words': twice({}, {}),
  'refuses another durability': twice({}, { durable: false }),
  'refuses another auto-delete': twice({}, { autoDelete: true }),
  'refuses to make one exclusive': twice({}, { exclusive: true }),
  'refuses to make an exclusive one shared': twice({ exclusive: true }, {}),
  'declares an exclusive one twice on its connection': twice(
    { exclusive: true },
    { exclusive: true },
  ),
  'refuses another message ttl': twice({ messageTtl: 1_000 }, { messageTtl: 2_000 }),
  'refuses a message ttl more': twice({}, { messageTtl: 2_000 }),
  'refuses a message ttl less': twice({ messageTtl: 2_000 }, {}),
  'takes a ttl of another width for the same': twice(
    args({ 'x-message-ttl': 100 }),
    args({ 'x-message-ttl': { '!': 'long', value: 100 } }),
  ),
  'refuses another dead-letter exchange': twice(
    { deadLetterExchange: 'a' },
    { deadLetterExchange: 'b' },
  ),
  'refuses another max length': twice({ maxLength: 1 }, { maxLength: 2 }),
  'refuses another overflow': twice(
    args({ 'x-overflow': 'drop-head' }),
    args({ 'x-overflow': 'reject-publish' }),
  ),
  'refuses another type': twice({}, quorum()),
  'takes classic for what it is without a type': twice({}, args({ 'x-queue-type': 'classic' })),
  'refuses another single active consumer': twice(
    args({ 'x-single-active-consumer': true }),
    args({ 'x-single-active-consumer': false }),
  ),
  'refuses another expiry': twice({ expires: 60_000 }, { expires: 90_000 }),
  'refuses another priority': twice({ maxPriority: 5 }, { maxPriority: 6 }),
  'does not compare arguments that it does not know': twice(
    args({ 'x-mine': 1 }),
    args({ 'x-mine': 2 }),
  ),
  'refuses a dead-letter routing key more': twice(
    { deadLetterExchange: 'a' },
    { deadLetterExchange: 'a', deadLetterRoutingKey: 'k' },
  ),

  'of type quorum': once(quorum()),
  'of type quorum, not durable': once({ ...quorum(), durable: false }),
  'of type quorum, exclusive': once({ ...quorum(), exclusive: true }),
  'of type quorum, auto-delete': once({ ...quorum(), autoDelete: true }),
  'of type quorum with priorities': once(quorum({ 'x-max-priority': 5 })),
  'of type quorum that is lazy': once(quorum({ 'x-queue-mode': 'lazy' })),
  'of type quorum that dead-letters what it refuses': once(
    quorum({ 'x-overflow': 'reject-publish-dlx' }),
  ),
  'of type quorum with a delivery limit': once(quorum({ 'x-delivery-limit': 3 })),
  'of an unknown type': once(args({ 'x-queue-type': 'nothing' })),
  'with a type that is no text': once(args({ 'x-queue-type': 5 })),
  'with a negative ttl': once(args({ 'x-message-ttl': -1 })),
  'with a ttl that is text': once(args({ 'x-message-ttl': 'soon' })),
  'with a ttl that is too large': once(args({ 'x-message-ttl': 99_999_999_999 })),
  'with a ttl of more than ten years': once(args({ 'x-message-ttl': 315_360_000_001 })),
  'with an expiry of more than ten years': once(args({ 'x-expires': 315_360_000_001 })),
  'with a ttl of 0': once(args({ 'x-message-ttl': 0 })),
  'with a ttl that is a double': once(args({ 'x-message-ttl': 1.5 })),
  'with an expiry of 0': once(args({ 'x-expires': 0 })),
  'with a negative expiry': once(args({ 'x-expires': -1 })),
  'with an expiry that is text': once(args({ 'x-expires': 'soon' })),
  'with a negative max length': once(args({ 'x-max-length': -1 })),
  'with a max length that is text': once(args({ 'x-max-length': 'many' })),
  'with negative max bytes': once(args({ 'x-max-length-bytes': -1 })),
  'with an overflow that is unknown': once(args({ 'x-overflow': 'explode' })),
  'with an overflow that is no text': once(args({ 'x-overflow': 1 })),
  'with a priority that is too high': once(args({ 'x-max-priority': 256 })),
  'with a negative priority': once(args({ 'x-max-priority': -1 })),
  'with a priority that is text': once(args({ 'x-max-priority': 'high' })),
  'with a dead-letter exchange that is no text': once(args({ 'x-dead-letter-exchange': 5 })),
  'with a dead-letter key but no exchange': once(args({ 'x-dead-letter-routing-key': 'k' })),
  'with a dead-letter key that is no text': once(
    args({ 'x-dead-letter-exchange': 'x', 'x-dead-letter-routing-key': 5 }),
  ),
  'with a mode that is unknown': once(args({ 'x-queue-mode': 'eager' })),
  'that is lazy': once(args({ 'x-queue-mode': 'lazy' })),
  'with a single active consumer that is no flag': once(
    args({ 'x-single-active-consumer': 'yes' }),
  ),
  'of type classic with a delivery limit': once(args({ 'x-delivery-limit': 3 })),

  'that the server names': async ({ connect }) => {
    const seat = await (await connect()).seat();
    const { queue } = await seat.channel.assertQueue('');
    return [queue, queue.length, await seat.try((channel) => channel.checkQueue(queue))];
  },
  'that the server has named, actively': async ({ connect }) => {
    const seat = await (await connect()).seat();
    const { queue } = await seat.channel.assertQueue('');
    return seat.try((channel) => channel.assertQueue(queue));
  },
  'of type quorum that the server names': async ({ connect }) => {
    const seat = await (await connect()).seat();
    return [await seat.try((channel) => channel.assertQueue('', quorum())), seat.closed];
  },
  'with a reserved name': async ({ connect }) => {
    const seat = await (await connect()).seat();
    return [await seat.try((channel) => channel.assertQueue('amq.mine')), seat.closed];
  },
  'passively, that is missing': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    return [await seat.try((channel) => channel.checkQueue(name('none'))), seat.closed];
  },
  'passively, with its counts': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertQueue(name('q'));
    for (const body of ['1', '2', '3']) seat.channel.sendToQueue(name('q'), Buffer.from(body));
    await seat.ready(name('q'), 3);
    await seat.channel.prefetch(1);
    await seat.consume(name('q'));
    await seat.got(1);
    await seat.ready(name('q'), 2);
    return seat.try((channel) => channel.checkQueue(name('q')));
  },
});

conforms('a queue', {
  'that is exclusive is locked for others': async ({ connect, name }) => {
    await (await (await connect()).seat()).channel.assertQueue(name('q'), { exclusive: true });
    const other = await connect();
    const attempts = [];
    for (const run of [
      (queue: string) =>
        other.seat().then((seat) => seat.try((channel) => channel.checkQueue(queue))),
      (queue: string) =>
        other
          .seat()
          .then((seat) => seat.try((channel) => channel.assertQueue(queue, { exclusive: true }))),
      (queue: string) =>
        other.seat().then((seat) => seat.try((channel) => channel.deleteQueue(queue))),
      (queue: string) =>
        other.seat().then((seat) => seat.try((channel) => channel.purgeQueue(queue))),
      (queue: string) => other.seat().then((seat) => seat.try((channel) => channel.get(queue))),
      (queue: string) =>
        other.seat().then((seat) => seat.try((channel) => channel.consume(queue, () => undefined))),
      (queue: string) =>
        other
          .seat()
          .then((seat) => seat.try((channel) => channel.bindQueue(queue, 'amq.direct', 'k'))),
    ]) {
      attempts.push(await run(name('q')));
    }
    return attempts;
  },
  'that is exclusive takes what others publish': async ({ connect, name }) => {
    const owner = await (await connect()).seat();
    await owner.channel.assertQueue(name('q'), { exclusive: true });
    const other = await (await connect()).confirmSeat();
    other.channel.sendToQueue(name('q'), Buffer.from('hello'));
    return [await other.confirms(1), await owner.ready(name('q'), 1)];
  },
  'that is exclusive goes with its connection': async ({ connect, name }) => {
    const owner = await connect();
    await (await owner.seat()).channel.assertQueue(name('q'), { exclusive: true });
    await owner.close();
    const seat = await (await connect()).seat();
    return seat.try((channel) => channel.assertQueue(name('q')));
  },
  'that is auto-delete stays until it had a consumer': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertQueue(name('q'), { autoDelete: true });
    const before = await seat.try((channel) => channel.checkQueue(name('q')));
    const tag = await seat.consume(name('q'));
    await seat.channel.cancel(tag);
    return [before, await seat.try((channel) => channel.checkQueue(name('q')))];
  },
  'that is auto-delete goes with the channel of its consumer': async ({ connect, name }) => {
    const peer = await connect();
    const first = await peer.seat();
    await first.channel.assertQueue(name('q'), { autoDelete: true });
    await first.consume(name('q'));
    await first.channel.close();
    const seat = await peer.seat();
    return seat.try((channel) => channel.checkQueue(name('q')));
  },
  'is deleted, with a count of its messages, and once more': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertQueue(name('q'));
    for (const body of ['1', '2']) seat.channel.sendToQueue(name('q'), Buffer.from(body));
    await seat.ready(name('q'), 2);
    return [
      await seat.try((channel) => channel.deleteQueue(name('q'))),
      await seat.try((channel) => channel.deleteQueue(name('q'))),
      await seat.try((channel) => channel.checkQueue(name('q'))),
    ];
  },
  'is not deleted while it is used, if asked': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertQueue(name('q'));
    await seat.consume(name('q'));
    return [
      await seat.try((channel) => channel.deleteQueue(name('q'), { ifUnused: true })),
      seat.closed,
    ];
  },
  'is not deleted while it is not empty, if asked': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertQueue(name('q'));
    seat.channel.sendToQueue(name('q'), Buffer.from('1'));
    await seat.ready(name('q'), 1);
    return [
      await seat.try((channel) => channel.deleteQueue(name('q'), { ifEmpty: true })),
      seat.closed,
    ];
  },
  'is purged of what is ready, with a count': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertQueue(name('q'));
    for (const body of ['1', '2', '3']) seat.channel.sendToQueue(name('q'), Buffer.from(body));
    await seat.ready(name('q'), 3);
    const got = await seat.get(name('q'), {});
    return [
      got,
      await seat.try((channel) => channel.purgeQueue(name('q'))),
      await seat.try((channel) => channel.purgeQueue(name('q'))),
    ];
  },
  'that is missing cannot be purged': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    return [await seat.try((channel) => channel.purgeQueue(name('none'))), seat.closed];
  },
  'that is missing gives nothing': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    return [await seat.try((channel) => channel.get(name('none'))), seat.closed];
  },
  'that is missing cannot be consumed from': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    return [
      await seat.try((channel) => channel.consume(name('none'), () => undefined)),
      seat.closed,
    ];
  },
  'cannot be bound to the default exchange': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertQueue(name('q'));
    return [await seat.try((channel) => channel.bindQueue(name('q'), '', 'k')), seat.closed];
  },
  'cannot be bound to an exchange that is missing': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertQueue(name('q'));
    return [
      await seat.try((channel) => channel.bindQueue(name('q'), name('none'), 'k')),
      seat.closed,
    ];
  },
  'that is missing cannot be bound': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    return [
      await seat.try((channel) => channel.bindQueue(name('none'), 'amq.direct', 'k')),
      seat.closed,
    ];
  },
  'is unbound, and what was never bound as well': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertQueue(name('q'));
    return [
      await seat.try((channel) => channel.unbindQueue(name('q'), 'amq.direct', 'k')),
      await seat.try((channel) => channel.unbindQueue(name('none'), 'amq.direct', 'k')),
      await seat.try((channel) => channel.unbindQueue(name('q'), name('none'), 'k')),
    ];
  },
  'stands for the empty name when it was declared last': async ({ connect }) => {
    const seat = await (await connect()).seat();
    const before = await (
      await (await connect()).seat()
    ).try((channel) => channel.bindQueue('', 'amq.direct', 'k'));
    await seat.channel.assertQueue('');
    await seat.channel.bindQueue('', 'amq.direct', '');
    return [before, await seat.try((channel) => channel.purgeQueue(''))];
  },
  'expires when it is not used': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertQueue(name('q'), { expires: 50 });
    let missing: unknown;
    for (let turn = 0; turn < 100 && missing === undefined; turn += 1) {
      await new Promise((resolve) => {
        setTimeout(resolve, 80);
      });
      const probe = await (await connect()).seat();
      const seen = await probe.try((channel) => channel.checkQueue(name('q')));
      if (typeof seen === 'object' && seen !== null && 'refused' in seen) missing = seen;
    }
    return missing;
  },
});
