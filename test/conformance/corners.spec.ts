import type { ConsumeMessage, Options } from 'amqplib';
import { conforms } from './conformance.js';
import type { Case, Stage } from './conformance.js';
import type { Observed, Seat } from './seat.js';

type Table = Readonly<Record<string, unknown>>;

const typed = (type: string, value: unknown): unknown => ({ '!': type, value });

const send = async (seat: Seat, queue: string, ...bodies: string[]): Promise<void> => {
  const before = seat.confirmed.length;
  for (const body of bodies) seat.channel.sendToQueue(queue, Buffer.from(body));
  await seat.confirms(before + bodies.length);
};

/** Queues of these names, and a seat that has its publishes confirmed. */
async function queues({ connect, name }: Stage, ...names: string[]): Promise<Seat> {
  const seat = await (await connect()).confirmSeat();
  for (const one of names) await seat.channel.assertQueue(name(one));
  return seat;
}

/** Runs each on a channel of its own, on a connection that may end. */
const each = async (
  { connect }: Stage,
  ...runs: readonly ((seat: Seat) => Promise<unknown>)[]
): Promise<Observed[]> => {
  const seen: Observed[] = [];
  for (const run of runs) {
    const peer = await connect();
    seen.push(await (await peer.seat()).try(() => Promise.resolve()));
    const seat = await peer.seat();
    seen.push(await seat.try(() => run(seat)), peer.closed);
  }
  return seen;
};

/** The bindings of a headers exchange, by what they match of these messages. */
const headers =
  (binding: Table, ...messages: readonly Table[]): Case =>
  async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'q');
    await seat.channel.bindQueue(name('q'), 'amq.headers', '', binding);
    for (const [index, table] of messages.entries()) {
      seat.channel.publish('amq.headers', '', Buffer.from(String(index)), { headers: table });
    }
    await seat.confirms(messages.length);
    return seat.drain(name('q'));
  };

const values = [
  1,
  typed('double', 1),
  typed('long', 1),
  '1',
  true,
  null,
  typed('timestamp', 1),
  Buffer.from('1'),
  [1],
  [typed('long', 1)],
  { a: 1 },
  { a: typed('long', 1) },
  1.5,
  typed('decimal', { digits: 1, places: 0 }),
].map((a) => ({ a }));

conforms('a headers binding', {
  ...Object.fromEntries(
    [
      ['a number', 1],
      ['a double', typed('double', 1)],
      ['a text', '1'],
      ['a flag', true],
      ['nothing', null],
      ['a time', typed('timestamp', 1)],
      ['bytes', Buffer.from('1')],
      ['a list', [1]],
      ['a table', { a: 1 }],
    ].map(([kind, a]) => [`of ${String(kind)}`, headers({ a }, ...values)]),
  ),
  'of any of several': headers(
    { 'x-match': 'any', a: 1, b: 2, 'x-c': 3 },
    { a: 1 },
    { b: 2 },
    { a: 2, b: 1 },
    { 'x-c': 3 },
    {},
    { a: 2, b: 2 },
  ),
  'of all with x': headers(
    { 'x-match': 'all-with-x', a: 1, 'x-c': 3 },
    { a: 1 },
    { a: 1, 'x-c': 3 },
    { 'x-c': 3 },
    { a: 1, 'x-c': 3, 'x-match': 'any' },
  ),
  'of any with x': headers({ 'x-match': 'any-with-x', a: 1, 'x-c': 3 }, { 'x-c': 3 }, { a: 1 }, {}),
  'of x alone, all': headers({ 'x-match': 'all', 'x-c': 3 }, {}, { 'x-c': 4 }),
  'of x alone, any': headers({ 'x-match': 'any', 'x-c': 3 }, {}, { 'x-c': 3 }),
  'with a match of no text': async (stage) => {
    const { name } = stage;
    await queues(stage, 'q');
    return each(
      stage,
      ...[1, 1.5, true, null, [1], { a: 1 }, '', 'ALL', Buffer.from('all')].map(
        (match) => (seat: Seat) =>
          seat.channel.bindQueue(name('q'), 'amq.headers', '', { 'x-match': match }),
      ),
    );
  },
  'is unbound by the same arguments alone': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'q');
    await seat.channel.bindQueue(name('q'), 'amq.headers', '', { a: 1, b: 2 });
    await seat.channel.unbindQueue(name('q'), 'amq.headers', '', { a: 1 });
    await seat.channel.unbindQueue(name('q'), 'amq.headers', 'k', { a: 1, b: 2 });
    seat.channel.publish('amq.headers', '', Buffer.from('one'), { headers: { a: 1, b: 2 } });
    await seat.confirms(1);
    await seat.channel.unbindQueue(name('q'), 'amq.headers', '', { b: 2, a: 1 });
    seat.channel.publish('amq.headers', '', Buffer.from('two'), { headers: { a: 1, b: 2 } });
    await seat.confirms(2);
    return seat.drain(name('q'));
  },
  'is unbound by arguments of another width': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'q');
    await seat.channel.bindQueue(name('q'), 'amq.headers', '', { a: 1 });
    await seat.channel.unbindQueue(name('q'), 'amq.headers', '', { a: typed('long', 1) });
    seat.channel.publish('amq.headers', '', Buffer.from('one'), { headers: { a: 1 } });
    await seat.confirms(1);
    return seat.drain(name('q'));
  },
});

conforms('the default exchange', {
  'is nobody to bind, unbind, declare or delete': (stage) =>
    each(
      stage,
      ({ channel }) => channel.bindQueue('none', '', 'k'),
      ({ channel }) => channel.unbindQueue('none', '', 'k'),
      ({ channel }) => channel.assertExchange('', 'direct', { durable: true }),
      ({ channel }) => channel.assertExchange('', 'x-nothing'),
      ({ channel }) => channel.checkExchange(''),
      ({ channel }) => channel.deleteExchange(''),
      ({ channel }) => channel.bindExchange('', 'amq.direct', 'k'),
      ({ channel }) => channel.bindExchange('amq.direct', '', 'k'),
      ({ channel }) => channel.unbindExchange('amq.direct', '', 'k'),
      ({ channel }) => channel.unbindExchange('', 'none', 'k'),
    ),
  'may be an alternate exchange': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'q');
    await seat.channel.assertExchange(name('x'), 'direct', { alternateExchange: '' });
    seat.channel.publish(name('x'), name('q'), Buffer.from('a'));
    seat.channel.publish(name('x'), 'nobody', Buffer.from('b'), { mandatory: true });
    await seat.confirms(2);
    return [await seat.drain(name('q')), seat.returned];
  },
});

conforms('an exchange', {
  'that is internal takes nothing from a publisher, but from another': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'q');
    await seat.channel.assertExchange(name('in'), 'fanout', { internal: true });
    await seat.channel.assertExchange(name('out'), 'fanout');
    await seat.channel.bindExchange(name('in'), name('out'), '');
    await seat.channel.bindQueue(name('q'), name('in'), '');
    seat.channel.publish(name('out'), '', Buffer.from('a'));
    await seat.confirms(1);
    const fate = await seat.fate((channel) => channel.publish(name('in'), '', Buffer.from('b')));
    return [fate, await (await (await stage.connect()).seat()).drain(name('q'))];
  },
  'that is its own alternate': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage);
    await seat.channel.assertExchange(name('x'), 'direct', { alternateExchange: name('x') });
    seat.channel.publish(name('x'), 'k', Buffer.from('a'), { mandatory: true });
    await seat.confirms(1);
    return seat.returned;
  },
  'that is the alternate of its alternate': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'q');
    await seat.channel.assertExchange(name('x'), 'direct', { alternateExchange: name('y') });
    await seat.channel.assertExchange(name('y'), 'topic', { alternateExchange: name('x') });
    await seat.channel.bindQueue(name('q'), name('y'), 'k');
    for (const key of ['k', 'l']) {
      seat.channel.publish(name('x'), key, Buffer.from(key), { mandatory: true });
    }
    await seat.confirms(2);
    return [seat.returned, await seat.drain(name('q'))];
  },
  'with an alternate that is missing': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage);
    await seat.channel.assertExchange(name('x'), 'direct', { alternateExchange: name('none') });
    seat.channel.publish(name('x'), 'k', Buffer.from('a'), { mandatory: true });
    await seat.confirms(1);
    return seat.returned;
  },
  'whose binding to another counts as a route, led it nowhere': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'q');
    await seat.channel.assertExchange(name('y'), 'fanout');
    await seat.channel.assertExchange(name('z'), 'fanout');
    await seat.channel.assertExchange(name('x'), 'direct', { alternateExchange: name('z') });
    await seat.channel.bindExchange(name('y'), name('x'), 'k');
    await seat.channel.bindQueue(name('q'), name('z'), '');
    for (const key of ['k', 'l']) {
      seat.channel.publish(name('x'), key, Buffer.from(key), { mandatory: true });
    }
    await seat.confirms(2);
    return [seat.returned, await seat.drain(name('q'))];
  },
  'that is bound in a circle': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'q');
    for (const one of ['x', 'y', 'z']) await seat.channel.assertExchange(name(one), 'topic');
    await seat.channel.bindExchange(name('y'), name('x'), '#');
    await seat.channel.bindExchange(name('z'), name('y'), 'a.*');
    await seat.channel.bindExchange(name('x'), name('z'), '#');
    await seat.channel.bindExchange(name('x'), name('x'), '#');
    await seat.channel.bindQueue(name('q'), name('z'), '*.b');
    await seat.channel.bindQueue(name('q'), name('x'), 'c');
    for (const key of ['a.b', 'c', 'a.c']) {
      seat.channel.publish(name('y'), key, Buffer.from(key), { mandatory: true });
    }
    await seat.confirms(3);
    return [seat.returned.length, await seat.drain(name('q'))];
  },
  'that is auto-delete stays while it is bound to another, and goes with it': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage);
    await seat.channel.assertExchange(name('x'), 'fanout', { autoDelete: true });
    await seat.channel.assertExchange(name('y'), 'fanout');
    await seat.channel.bindExchange(name('y'), name('x'), '');
    await seat.channel.deleteExchange(name('y'));
    return each(stage, ({ channel }) => channel.checkExchange(name('x')));
  },
  'that is auto-delete and only bound to stays': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage);
    await seat.channel.assertExchange(name('x'), 'fanout', { autoDelete: true });
    await seat.channel.bindExchange(name('x'), 'amq.fanout', name('k'));
    await seat.channel.unbindExchange(name('x'), 'amq.fanout', name('k'));
    return each(stage, ({ channel }) => channel.checkExchange(name('x')));
  },
  'that is auto-delete takes its chain with it': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'q');
    for (const one of ['x', 'y']) {
      await seat.channel.assertExchange(name(one), 'fanout', { autoDelete: true });
    }
    await seat.channel.bindExchange(name('y'), name('x'), '');
    await seat.channel.bindQueue(name('q'), name('y'), '');
    await seat.channel.deleteQueue(name('q'));
    return each(
      stage,
      ({ channel }) => channel.checkExchange(name('y')),
      ({ channel }) => channel.checkExchange(name('x')),
    );
  },
  'that is only bound to is not in use': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage);
    await seat.channel.assertExchange(name('x'), 'fanout');
    await seat.channel.bindExchange(name('x'), 'amq.fanout', '');
    return each(stage, ({ channel }) => channel.deleteExchange(name('x'), { ifUnused: true }));
  },
  'whose arguments are compared': async (stage) => {
    const { name } = stage;
    const declare = (options: Options.AssertExchange) => (seat: Seat) =>
      seat.channel.assertExchange(name('x'), 'direct', options);
    return each(
      stage,
      declare({ alternateExchange: 'a' }),
      declare({ alternateExchange: 'b' }),
      declare({}),
      declare({ arguments: { 'alternate-exchange': 5 } }),
      declare({ alternateExchange: 'a', arguments: { mine: 1 } }),
    );
  },
});

const routed =
  (table: Table, exchange = ''): Case =>
  async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'a', 'b', 'c');
    for (const one of ['a', 'b', 'c']) {
      await seat.channel.bindQueue(name(one), 'amq.direct', name(one));
    }
    const replaced = Object.fromEntries(
      Object.entries(table).map(([key, value]) => [
        key,
        Array.isArray(value)
          ? value.map((one: unknown) => (typeof one === 'string' ? name(one) : one))
          : value,
      ]),
    );
    const fate = await seat.fate((channel) =>
      channel.publish(exchange, name('a'), Buffer.from('x'), { headers: replaced }),
    );
    const other = await (await stage.connect()).seat();
    const got: Observed[] = [fate];
    for (const one of ['a', 'b', 'c']) got.push(await other.get(name(one)));
    return got;
  };

conforms('further keys', {
  'of CC and BCC': routed({ CC: ['b'], BCC: ['c'], mine: 1 }),
  'of CC twice, and the key itself': routed({ CC: ['a', 'b', 'b'] }),
  'of an exchange': routed({ CC: ['b'], BCC: ['c'] }, 'amq.direct'),
  'that are no texts': routed({ CC: [5, true, 'b'] }),
  'that are none': routed({ CC: [], BCC: [] }),
  'of a CC that is a text': routed({ CC: 'b' }),
  'of a BCC that is a number': routed({ BCC: 5 }),
  'of a cc in small letters': routed({ cc: ['b'] }),
});

conforms('direct replies', {
  'are not got, purged, bound or declared': (stage) =>
    each(
      stage,
      ({ channel }) => channel.get('amq.rabbitmq.reply-to'),
      ({ channel }) => channel.purgeQueue('amq.rabbitmq.reply-to'),
      ({ channel }) => channel.bindQueue('amq.rabbitmq.reply-to', 'amq.direct', 'k'),
      ({ channel }) => channel.deleteQueue('amq.rabbitmq.reply-to'),
      ({ channel }) => channel.checkQueue('amq.rabbitmq.reply-to'),
      ({ channel }) => channel.assertQueue('amq.rabbitmq.reply-to'),
    ),
  'have one consumer at a time, after a cancel another': async ({ connect }) => {
    const seat = await (await connect()).seat();
    const tag = await seat.consume('amq.rabbitmq.reply-to', { noAck: true });
    await seat.channel.cancel(tag);
    return seat.consume('amq.rabbitmq.reply-to', { noAck: true, consumerTag: 'again' });
  },
  'to nobody are returned, if asked': async (stage) => {
    const seat = await queues(stage);
    seat.channel.publish('', 'amq.rabbitmq.reply-to.nobody', Buffer.from('x'), { mandatory: true });
    seat.channel.publish('', 'amq.rabbitmq.reply-to', Buffer.from('y'), { mandatory: true });
    await seat.confirms(2);
    return seat.returned;
  },
  'through another exchange reach nobody': async (stage) => {
    const { connect, name } = stage;
    const seat = await queues(stage, 'rpc');
    const asking = await (await connect()).seat();
    await asking.consume('amq.rabbitmq.reply-to', { noAck: true });
    asking.channel.sendToQueue(name('rpc'), Buffer.from('?'), {
      replyTo: 'amq.rabbitmq.reply-to',
    });
    await seat.ready(name('rpc'), 1);
    const request = await seat.channel.get(name('rpc'), { noAck: true });
    const replyTo = request === false ? '' : String(request.properties.replyTo);
    seat.channel.publish('amq.direct', replyTo, Buffer.from('lost'));
    seat.channel.publish('', replyTo, Buffer.from('first'), { mandatory: true, headers: { a: 1 } });
    seat.channel.publish('', 'nobody', Buffer.from('copy'), { CC: [replyTo] });
    await seat.confirms(3);
    const got = await asking.got(2);
    return [
      JSON.stringify(got).replaceAll(replyTo, 'REPLY'),
      JSON.stringify(seat.returned).replaceAll(replyTo, 'REPLY'),
    ];
  },
});

conforms('a publish', {
  'that is returned comes back before its confirm': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'q');
    const order: string[] = [];
    seat.channel.on('return', ({ content }: ConsumeMessage) =>
      order.push(`return ${content.toString()}`),
    );
    for (const event of ['ack', 'nack']) seat.channel.on(event, () => order.push('confirm'));
    seat.channel.sendToQueue('nobody', Buffer.from('a'), { mandatory: true });
    await seat.confirms(1);
    seat.channel.sendToQueue(name('q'), Buffer.from('b'), { mandatory: true });
    await seat.confirms(2);
    return order;
  },
  'to a missing exchange leaves the connection open, and what came before': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'q');
    seat.channel.sendToQueue(name('q'), Buffer.from('before'));
    const fate = await seat.fate((channel) => {
      channel.publish(name('none'), 'k', Buffer.from('x'));
      channel.sendToQueue(name('q'), Buffer.from('after'));
    });
    return [fate, await (await (await stage.connect()).seat()).drain(name('q'))];
  },
  'to a missing exchange, and then a close of its channel': async (stage) => {
    const { name } = stage;
    const peer = await stage.connect();
    const seat = await peer.seat();
    seat.channel.publish(name('none'), 'k', Buffer.from('x'));
    await seat.channel.close().catch(() => undefined);
    const other = await peer.seat();
    return [await other.try((channel) => channel.checkExchange('amq.direct')), peer.closed];
  },
  ...Object.fromEntries(
    [
      '0',
      '+5',
      '-0',
      '00012',
      ' 5',
      '5 ',
      '0x10',
      '1e3',
      '315360000000',
      '315360000001',
      '-1',
      'a5',
      '5a"b',
    ].map((expiration) => [
      `that expires after '${expiration}'`,
      async (stage: Stage): Promise<Observed> => {
        const seat = await queues(stage);
        return seat.fate((channel) =>
          channel.publish('amq.direct', 'nobody', Buffer.from('x'), { expiration }),
        );
      },
    ]),
  ),
  'of another user to a missing exchange': async (stage) => {
    const seat = await queues(stage);
    return seat.fate((channel) =>
      channel.publish(stage.name('none'), 'k', Buffer.from('x'), { userId: 'other' }),
    );
  },
  'of another user that expires badly': async (stage) => {
    const seat = await queues(stage);
    return seat.fate((channel) =>
      channel.publish('amq.direct', 'k', Buffer.from('x'), { userId: 'other', expiration: 'a' }),
    );
  },
  'of an empty user': async (stage) => {
    const seat = await queues(stage);
    return seat.fate((channel) =>
      channel.publish('amq.direct', 'k', Buffer.from('x'), { userId: '' }),
    );
  },
});

/** Dies in each of these queues by itself or by a reject, and is looked at in the last. */
const chain =
  (...steps: readonly ('expire' | 'reject')[]): Case =>
  async (stage) => {
    const { connect, name } = stage;
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name(`q${steps.length}`));
    for (const [index, step] of [...steps.entries()].toReversed()) {
      await seat.channel.assertQueue(name(`q${index}`), {
        arguments: {
          'x-dead-letter-exchange': '',
          'x-dead-letter-routing-key': name(`q${index + 1}`),
          ...(step === 'expire' ? { 'x-message-ttl': 10 } : {}),
        },
      });
    }
    await send(seat, name('q0'), 'x');
    for (const [index, step] of steps.entries()) {
      if (step === 'expire') continue;
      await seat.ready(name(`q${index}`), 1);
      const message = await seat.channel.get(name(`q${index}`));
      if (message !== false) seat.channel.reject(message, false);
    }
    await seat.ready(name(`q${steps.length}`), 1);
    return seat.get(name(`q${steps.length}`));
  };

/** What becomes of these headers when a message dies. */
const deathOf =
  (table: Table): Case =>
  async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'dead');
    await seat.channel.assertQueue(name('q'), {
      arguments: {
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': name('dead'),
        'x-message-ttl': 0,
      },
    });
    seat.channel.sendToQueue(name('q'), Buffer.from('x'), { headers: table });
    await seat.ready(name('dead'), 1);
    return seat.get(name('dead'));
  };

conforms('deaths', {
  'in two queues': chain('expire', 'reject'),
  'in three queues': chain('expire', 'reject', 'expire'),
  'in four queues': chain('reject', 'expire', 'reject', 'expire'),
  'that somebody else has noted': deathOf({
    'x-death': [
      { queue: 'one', reason: 'expired', count: 4 },
      { queue: 'two', reason: 'rejected' },
    ],
  }),
  'that somebody else has noted several times': deathOf({
    'x-death': [
      { queue: 'one', reason: 'expired' },
      { queue: 'two', reason: 'rejected' },
      { queue: 'one', reason: 'expired' },
    ],
  }),
  'that are noted as a text': deathOf({ 'x-death': 'often' }),
  'that are noted as nothing': deathOf({ 'x-death': [] }),
  'by a reject in a queue that leads back to itself go on': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage);
    await seat.channel.assertQueue(name('q'), {
      arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': name('q') },
    });
    await send(seat, name('q'), 'x');
    for (let turn = 0; turn < 3; turn += 1) {
      await seat.ready(name('q'), 1);
      const message = await seat.channel.get(name('q'));
      if (message !== false) seat.channel.reject(message, false);
    }
    await seat.ready(name('q'), 1);
    return seat.get(name('q'));
  },
  'by themselves in a queue that leads back to itself are the end': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage);
    await seat.channel.assertQueue(name('q'), {
      arguments: {
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': name('q'),
        'x-message-ttl': 10,
      },
    });
    await send(seat, name('q'), 'x');
    return seat.ready(name('q'), 0);
  },
  'of too much in a queue that leads back to itself are the end': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage);
    await seat.channel.assertQueue(name('q'), {
      arguments: {
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': name('q'),
        'x-max-length': 1,
      },
    });
    await send(seat, name('q'), 'a', 'b', 'c');
    await seat.ready(name('q'), 1);
    return seat.drain(name('q'));
  },
});

conforms('limits in bytes', {
  'count bodies alone': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage);
    await seat.channel.assertQueue(name('q'), { arguments: { 'x-max-length-bytes': 4 } });
    for (const body of ['', 'aa', '', 'bb', 'c', 'ddddd', '']) {
      seat.channel.sendToQueue(name('q'), Buffer.from(body), { headers: { long: 'x'.repeat(50) } });
      await seat.confirms(seat.confirmed.length + 1);
    }
    return [seat.confirmed, await seat.drain(name('q'))];
  },
  'refuse what is too much': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage);
    await seat.channel.assertQueue(name('q'), {
      arguments: { 'x-max-length-bytes': 4, 'x-overflow': 'reject-publish' },
    });
    for (const body of ['aa', 'bb', '', 'c', 'ddddd']) {
      seat.channel.sendToQueue(name('q'), Buffer.from(body));
      await seat.confirms(seat.confirmed.length + 1);
    }
    return [seat.confirmed, await seat.drain(name('q'))];
  },
  'drop the lowest priority first': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage);
    await seat.channel.assertQueue(name('q'), {
      arguments: { 'x-max-length': 3, 'x-max-priority': 3 },
    });
    for (const [body, priority] of [
      ['a', 1],
      ['b', 3],
      ['c', 0],
      ['d', 2],
      ['e', 0],
    ] as const) {
      seat.channel.sendToQueue(name('q'), Buffer.from(body), { priority });
    }
    await seat.confirms(5);
    return seat.drain(name('q'));
  },
});

conforms('consuming', {
  'by two of one priority takes turns': async (stage) => {
    const { connect, name } = stage;
    const seat = await queues(stage, 'q');
    const peer = await connect();
    const [one, two, low] = [await peer.seat(), await peer.seat(), await peer.seat()];
    await low.consume(name('q'), { priority: -1 });
    await one.consume(name('q'), { priority: 5 });
    await two.consume(name('q'), { priority: 5 });
    await send(seat, name('q'), 'a', 'b', 'c', 'd', 'e');
    return [await one.bodies(3), await two.bodies(2), low.deliveries.length];
  },
  'of an auto-delete queue by two ends it with the second': async (stage) => {
    const { connect, name } = stage;
    const seat = await queues(stage);
    await seat.channel.assertQueue(name('q'), { autoDelete: true });
    const peer = await connect();
    const [one, two] = [await peer.seat(), await peer.seat()];
    const tags = [await one.consume(name('q')), await two.consume(name('q'))];
    await one.channel.cancel(tags[0] ?? '');
    const between = await seat.channel.checkQueue(name('q'));
    await two.channel.close();
    return [between, ...(await each(stage, ({ channel }) => channel.checkQueue(name('q'))))];
  },
  'ends with a word when the queue goes, once for each': async (stage) => {
    const { connect, name } = stage;
    const seat = await queues(stage, 'q');
    const peer = await connect();
    const one = await peer.seat();
    await one.consume(name('q'));
    await one.consume(name('q'));
    await seat.channel.deleteQueue(name('q'));
    const open = await one.fate(() => undefined);
    return [one.cancelled.length, open];
  },
  'by one that deletes the queue itself ends with a word': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'q');
    await seat.consume(name('q'));
    const deleted = await seat.channel.deleteQueue(name('q'));
    await seat.fate(() => undefined);
    return [deleted, seat.cancelled.length];
  },
  'acks what came from a queue that is gone': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'q');
    await send(seat, name('q'), 'a', 'b', 'c');
    await seat.consume(name('q'));
    await seat.got(3);
    await seat.channel.deleteQueue(name('q'));
    const [a, b, c] = seat.deliveries;
    return seat.fate((channel) => {
      if (a !== undefined) channel.ack(a);
      if (b !== undefined) channel.nack(b, false, true);
      if (c !== undefined) channel.reject(c, false);
    });
  },
  'gives back a prefetch of the channel by one of the consumer': async (stage) => {
    const { connect, name } = stage;
    const seat = await queues(stage, 'q');
    await send(seat, name('q'), 'a', 'b', 'c', 'd');
    const consumer = await (await connect()).seat();
    await consumer.channel.prefetch(1, true);
    await consumer.consume(name('q'));
    const first = await consumer.bodies(1);
    await consumer.channel.prefetch(2, false);
    return [first, await consumer.bodies(4)];
  },
  'recovers all, in order, seen before': async (stage) => {
    const { connect, name } = stage;
    const seat = await queues(stage, 'q');
    await send(seat, name('q'), 'a', 'b', 'c');
    const other = await (await connect()).seat();
    await other.channel.get(name('q'));
    await other.channel.get(name('q'));
    await other.channel.recover();
    await other.ready(name('q'), 3);
    const counts: Observed[] = [];
    for (let turn = 0; turn < 3; turn += 1) counts.push(await other.get(name('q'), {}));
    return counts;
  },
  'nacks everything by 0': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'q');
    await send(seat, name('q'), 'a', 'b');
    await seat.channel.get(name('q'));
    await seat.channel.get(name('q'));
    seat.channel.nackAll(true);
    const again = await seat.ready(name('q'), 2);
    await seat.channel.get(name('q'));
    await seat.channel.get(name('q'));
    seat.channel.nackAll(false);
    return [again, await seat.ready(name('q'), 0), await seat.fate(() => undefined)];
  },
  'goes on from where the prefetch left it when that grows': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'q');
    await send(seat, name('q'), 'a', 'b', 'c');
    await seat.channel.prefetch(1);
    await seat.consume(name('q'));
    const first = await seat.bodies(1);
    await seat.channel.prefetch(3);
    const open = await seat.fate(() => undefined);
    return [first, seat.deliveries.length, open];
  },
});

conforms('time', {
  'runs out in order of the queue, not of the times': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'dead');
    await seat.channel.assertQueue(name('q'), {
      arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': name('dead') },
    });
    for (const [body, expiration] of [
      ['slow', '150'],
      ['fast', '10'],
      ['none', '0'],
    ] as const) {
      seat.channel.sendToQueue(name('q'), Buffer.from(body), { expiration });
    }
    await seat.ready(name('dead'), 3);
    return seat.drain(name('dead'));
  },
  'of 0 is enough for who waits': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage, 'q');
    await seat.consume(name('q'));
    seat.channel.sendToQueue(name('q'), Buffer.from('x'), { expiration: '0' });
    return seat.bodies(1);
  },
  'of a lazy queue runs out as of any': async (stage) => {
    const { name } = stage;
    const seat = await queues(stage);
    await seat.channel.assertQueue(name('q'), {
      arguments: { 'x-queue-mode': 'lazy', 'x-message-ttl': 20 },
    });
    await send(seat, name('q'), 'x');
    return [await seat.ready(name('q'), 0), await seat.get(name('q'))];
  },
});
