import type { Options } from 'amqplib';
import type { Case, Stage } from './conformance.js';
import { conforms } from './conformance.js';
import type { Observed, Seat } from './seat.js';

type Table = Readonly<Record<string, unknown>>;
type Declare = Options.AssertQueue & { arguments?: Table };

const typed = (type: string, value: unknown): unknown => ({ '!': type, value });

/** One of each type of a field. */
const everyType = [
  'text',
  true,
  1.5,
  null,
  [1],
  { a: 1 },
  typed('timestamp', 7),
  Buffer.from('bytes'),
];

const numbers = [
  0,
  1,
  -1,
  255,
  256,
  70_000,
  typed('byte', 5),
  typed('short', 500),
  typed('long', 5),
  typed('double', 5),
  2 ** 31,
  2 ** 33,
  -(2 ** 33),
  315_360_000_000,
  315_360_000_001,
  2 ** 52,
];

const texts = [
  '',
  'drop-head',
  'reject-publish',
  'reject-publish-dlx',
  'Drop-Head',
  'lazy',
  'default',
];

/** What is said of each declaration, each on a channel of its own. */
const each = async (
  { connect }: Stage,
  runs: readonly ((seat: Seat) => Promise<Observed>)[],
): Promise<Observed[]> => {
  const peer = await connect();
  const seen: Observed[] = [];
  for (const run of runs) seen.push(await run(await peer.seat()));
  return seen;
};

/** An argument with each of these values. */
const valued =
  (key: string, values: readonly unknown[], more: Table = {}, options: Declare = {}): Case =>
  (stage) =>
    each(
      stage,
      values.map((value, index) => async (seat) => {
        const queue = stage.name(`q${index}`);
        const table = { ...more, [key]: value };
        const seen = await seat.try((channel) =>
          channel.assertQueue(queue, { ...options, arguments: table }),
        );
        return [index, seen];
      }),
    );

/** A queue declared in one way, and again in each of the others. */
const again =
  (first: Declare, ...others: readonly Declare[]): Case =>
  async (stage) => {
    const queue = stage.name('q');
    return each(
      stage,
      [first, ...others].map(
        (options) => (seat) => seat.try((channel) => channel.assertQueue(queue, options)),
      ),
    );
  };

const args = (table: Table): Declare => ({ arguments: table });
const quorum = { 'x-queue-type': 'quorum' };

conforms('an argument of a classic queue', {
  'x-message-ttl': valued('x-message-ttl', [...numbers, ...everyType]),
  'x-expires': valued('x-expires', [...numbers.filter((it) => it !== 1), ...everyType]),
  'x-max-length': valued('x-max-length', [...numbers, ...everyType]),
  'x-max-length-bytes': valued('x-max-length-bytes', [...numbers, ...everyType]),
  // RabbitMQ makes a queue for each priority: few are enough.
  'x-max-priority': valued('x-max-priority', [0, 1, 10, -1, 256, 70_000, 2 ** 33, ...everyType]),
  'x-overflow': valued('x-overflow', [...texts, ...everyType, 1]),
  'x-queue-mode': valued('x-queue-mode', [...texts, ...everyType, 1]),
  'x-queue-version': valued('x-queue-version', [1, 2, 0, 3, -1, ...everyType]),
  'x-single-active-consumer': valued('x-single-active-consumer', [false, 1, ...everyType]),
  'x-dead-letter-exchange': valued('x-dead-letter-exchange', ['', 'amq.direct', 1, ...everyType]),
  'x-dead-letter-routing-key': valued('x-dead-letter-routing-key', ['', 'key', 1, ...everyType]),
  'x-dead-letter-routing-key beside an exchange': valued(
    'x-dead-letter-routing-key',
    ['', 'key', 1, ...everyType],
    { 'x-dead-letter-exchange': '' },
  ),
  'x-queue-type': valued('x-queue-type', ['classic', 'Quorum', '', 1, ...everyType]),
  'x-queue-master-locator': valued('x-queue-master-locator', ['client-local', 'min-masters']),
  'x-delivery-limit': valued('x-delivery-limit', [1, 'text']),
  'x-dead-letter-strategy': valued('x-dead-letter-strategy', ['at-most-once', 1]),
  'x-queue-leader-locator': valued('x-queue-leader-locator', ['client-local', 1]),
  'x-max-in-memory-length': valued('x-max-in-memory-length', [1, 'text']),
  'x-quorum-initial-group-size': valued('x-quorum-initial-group-size', [1, 0]),
  'x-max-age': valued('x-max-age', ['1h']),
  'x-stream-max-segment-size-bytes': valued('x-stream-max-segment-size-bytes', [1]),
  'x-initial-cluster-size': valued('x-initial-cluster-size', [1]),
  'that nobody knows': valued('x-nobody', [1, ...everyType]),
  'that is of another type and wrong beside it': valued('x-message-ttl', ['soon'], {
    'x-delivery-limit': 1,
  }),
});

conforms('an argument of a quorum queue', {
  'x-message-ttl': valued('x-message-ttl', [0, -1, 315_360_000_001, 'text'], quorum),
  'x-expires': valued('x-expires', [0, -1, 60_000, 'text'], quorum),
  'x-max-length': valued('x-max-length', [0, -1, 5, 'text'], quorum),
  'x-max-length-bytes': valued('x-max-length-bytes', [0, -1, 5, 'text'], quorum),
  'x-max-in-memory-length': valued('x-max-in-memory-length', [0, -1, 5, 'text'], quorum),
  'x-max-in-memory-bytes': valued('x-max-in-memory-bytes', [0, -1, 5, 'text'], quorum),
  'x-max-priority': valued('x-max-priority', [1, 'text'], quorum),
  'x-overflow': valued('x-overflow', [...texts, 1, true], quorum),
  'x-queue-mode': valued('x-queue-mode', ['lazy', 'default', 1], quorum),
  'x-queue-version': valued('x-queue-version', [1, 2], quorum),
  'x-queue-master-locator': valued('x-queue-master-locator', ['client-local'], quorum),
  'x-single-active-consumer': valued('x-single-active-consumer', [true, false, 1, 'yes'], quorum),
  'x-dead-letter-strategy': valued(
    'x-dead-letter-strategy',
    ['at-most-once', 'at-least-once', 'never', 1],
    quorum,
  ),
  'x-queue-leader-locator': valued(
    'x-queue-leader-locator',
    ['client-local', 'balanced', 'random', 'least-leaders', 'nobody', 1],
    quorum,
  ),
  'x-quorum-initial-group-size': valued('x-quorum-initial-group-size', [1, 0, -1, 'text'], quorum),
  'x-delivery-limit': valued('x-delivery-limit', [0, 5], quorum),
  'x-max-age': valued('x-max-age', ['1h'], quorum),
});

conforms('a queue declared again', {
  'with integers of every width': again(
    args({ 'x-max-length': typed('byte', 5) }),
    ...['short', 'int', 'long'].map((type) => args({ 'x-max-length': typed(type, 5) })),
    args({ 'x-max-length': typed('timestamp', 5) }),
    args({ 'x-max-length': typed('double', 5) }),
    args({ 'x-max-length': '5' }),
    args({ 'x-max-length': 6 }),
    args({}),
  ),
  'with everything of another type': again(
    args({ 'x-overflow': 'drop-head' }),
    ...everyType.map((value) => args({ 'x-overflow': value })),
    args({ 'x-overflow': Buffer.from('drop-head') }),
  ),
  'without arguments, with everything': again(
    {},
    ...everyType.map((value) => args({ 'x-message-ttl': value })),
  ),
  'with several other arguments': again(
    args({ 'x-message-ttl': 1, 'x-max-length': 1, 'x-overflow': 'drop-head' }),
    args({ 'x-overflow': 'reject-publish', 'x-max-length': 2, 'x-message-ttl': 2 }),
    args({ 'x-message-ttl': 1, 'x-max-length': 2, 'x-overflow': 'reject-publish' }),
    args({ 'x-max-length': 1, 'x-overflow': 'drop-head' }),
  ),
  'with an argument that its type does not have': again(
    {},
    args({ 'x-delivery-limit': 5 }),
    args({ 'x-max-age': '1h' }),
    args({ 'x-nobody': 5 }),
  ),
  'with a mode, a version, a locator': again(
    args({ 'x-queue-mode': 'default' }),
    {},
    args({ 'x-queue-mode': 'lazy' }),
    args({ 'x-queue-mode': 'default', 'x-queue-version': 1 }),
    args({ 'x-queue-mode': 'default', 'x-queue-master-locator': 'client-local' }),
  ),
  'with other types': again(
    {},
    args({ 'x-queue-type': 'classic' }),
    args(quorum),
    args({ 'x-queue-type': 'stream' }),
    args({ 'x-queue-type': 'nothing' }),
    args({ 'x-queue-type': 5 }),
  ),
  'of type quorum, in other words': again(
    args({ ...quorum, 'x-delivery-limit': 5 }),
    args({ ...quorum, 'x-delivery-limit': typed('long', 5) }),
    args({ ...quorum, 'x-delivery-limit': 6 }),
    args(quorum),
    args({ 'x-delivery-limit': 5 }),
    args({ 'x-queue-type': 'classic', 'x-delivery-limit': 5 }),
    args({ ...quorum, 'x-delivery-limit': 5, 'x-max-priority': 5 }),
    { ...args({ ...quorum, 'x-delivery-limit': 5 }), durable: false },
    { ...args({ ...quorum, 'x-delivery-limit': 5 }), autoDelete: true },
    { ...args({ ...quorum, 'x-delivery-limit': 5 }), exclusive: true },
  ),
  'with other properties, of which one is told': again(
    { durable: false },
    { durable: true, autoDelete: true },
    { durable: false, autoDelete: true },
    { durable: true, exclusive: true },
    { durable: false, exclusive: true },
    { durable: false, arguments: { 'x-message-ttl': 1 } },
  ),
  'that is exclusive and so not durable': again(
    { exclusive: true, durable: true },
    { exclusive: true, durable: false },
    { exclusive: true, durable: true, autoDelete: true },
    { exclusive: false, durable: false },
  ),
});

const combinations = [true, false].flatMap((durable) =>
  [true, false].flatMap((exclusive) =>
    [true, false].map((autoDelete) => ({ durable, exclusive, autoDelete })),
  ),
);

const declaredAs =
  (table: Table): Case =>
  (stage) =>
    each(
      stage,
      combinations.map((options, index) => async (seat) => [
        options,
        await seat.try((channel) =>
          channel.assertQueue(stage.name(`q${index}`), { ...options, arguments: table }),
        ),
      ]),
    );

const named =
  (...names: readonly string[]): Case =>
  (stage) =>
    each(
      stage,
      names.flatMap((name) => [
        (seat) => seat.try((channel) => channel.checkQueue(name)),
        (seat) => seat.try((channel) => channel.assertQueue(name, { exclusive: true })),
      ]),
    );

const deleted =
  (table: Table, options: Options.DeleteQueue, state: 'empty' | 'used' | 'full' | 'both'): Case =>
  async ({ connect, name }) => {
    const peer = await connect();
    const seat = await peer.confirmSeat();
    await seat.channel.assertQueue(name('q'), { arguments: table });
    if (state === 'used' || state === 'both') {
      await seat.channel.prefetch(1);
      await seat.consume(name('q'));
    }
    if (state === 'full' || state === 'both') {
      for (const body of ['a', 'b', 'c']) seat.channel.sendToQueue(name('q'), Buffer.from(body));
      await seat.ready(name('q'), state === 'both' ? 2 : 3);
    }
    const other = await peer.seat();
    return [
      await other.try((channel) => channel.deleteQueue(name('q'), options)),
      await (await (await connect()).seat()).try((channel) => channel.checkQueue(name('q'))),
    ];
  };

conforms('a queue', {
  'of type classic in every combination': declaredAs({}),
  'of type quorum in every combination': declaredAs(quorum),
  'with a reserved name': named('amq.mine', 'amq.', 'amq', 'Amq.mine', ' amq.mine', 'amq.gen-mine'),
  'with a name of direct replies': named(
    'amq.rabbitmq.reply-to',
    'amq.rabbitmq.reply-to.nobody',
    'amq.rabbitmq.reply-tomorrow',
  ),
  'without a name, passively': async ({ connect }) => {
    const peer = await connect();
    const seat = await peer.seat();
    await seat.channel.assertQueue('');
    return [
      await seat.try((channel) => channel.checkQueue('')),
      await (await peer.seat()).try((channel) => channel.checkQueue('')),
    ];
  },
  'without a name, of a type': (stage) =>
    each(
      stage,
      ['classic', 'quorum', 'stream'].map(
        (type) => (seat) =>
          seat.try((channel) => channel.assertQueue('', { arguments: { 'x-queue-type': type } })),
      ),
    ),
  'without a name, of a type that there is not': async ({ connect }) => {
    const peer = await connect();
    const seat = await peer.seat();
    seat.channel
      .assertQueue('', { arguments: { 'x-queue-type': 'nothing' } })
      .catch(() => undefined);
    return peer.end();
  },
  'whose name has ends of lines': async ({ connect, name }) => {
    const peer = await connect();
    const queue = name('q');
    const broken = `${queue.slice(0, 3)}\r\n${queue.slice(3)}\n`;
    return [
      await (await peer.seat()).try((channel) => channel.assertQueue(broken)),
      await (await peer.seat()).try((channel) => channel.checkQueue(broken)),
      await (await peer.seat()).try((channel) => channel.bindQueue(broken, 'amq.direct', 'k')),
      await (await peer.seat()).try((channel) => channel.purgeQueue(broken)),
      await (await peer.seat()).try((channel) => channel.get(broken)),
      await (await peer.seat()).try((channel) => channel.consume(broken, () => undefined)),
      await (
        await peer.seat()
      ).fate((channel) => channel.publish('amq.\ndirect', 'k', Buffer.from('x'))),
      await (await peer.seat()).try((channel) => channel.deleteQueue(broken)),
    ];
  },
  'whose arguments for a consumer are checked': async ({ connect, name }) => {
    const peer = await connect();
    await (await peer.seat()).channel.assertQueue(name('c'));
    await (await peer.seat()).channel.assertQueue(name('q'), { arguments: quorum });
    const seen: Observed[] = [];
    for (const [key, value] of [
      ['x-priority', typed('timestamp', 5)],
      ['x-priority', 'high'],
      ['x-priority', 1.5],
      ['x-priority', -5],
      ['x-cancel-on-ha-failover', true],
      ['x-cancel-on-ha-failover', 1],
      ['x-stream-offset', 'first'],
      ['x-mine', 'first'],
    ] as const) {
      for (const queue of [name('c'), name('q')]) {
        const seat = await peer.seat();
        const reply = await seat.try((channel) =>
          channel.consume(queue, () => undefined, {
            arguments: { [key]: value },
            consumerTag: 't',
          }),
        );
        seen.push([key, queue, reply]);
      }
    }
    return seen;
  },
});

conforms('deleting', {
  'an empty classic queue, if unused': deleted({}, { ifUnused: true }, 'empty'),
  'an empty classic queue, if empty': deleted({}, { ifEmpty: true }, 'empty'),
  'a used classic queue, if unused': deleted({}, { ifUnused: true }, 'used'),
  'a used classic queue, if empty': deleted({}, { ifEmpty: true }, 'used'),
  'a full classic queue, if unused': deleted({}, { ifUnused: true }, 'full'),
  'a full classic queue, if empty': deleted({}, { ifEmpty: true }, 'full'),
  'a used and full classic queue, if both': deleted({}, { ifUnused: true, ifEmpty: true }, 'both'),
  'a used and full classic queue': deleted({}, {}, 'both'),
  'an empty quorum queue, if unused': deleted(quorum, { ifUnused: true }, 'empty'),
  'an empty quorum queue, if empty': deleted(quorum, { ifEmpty: true }, 'empty'),
  'a full quorum queue, if both': deleted(quorum, { ifUnused: true, ifEmpty: true }, 'full'),
  'a full quorum queue': deleted(quorum, {}, 'full'),
});
