import type { Case } from './conformance.js';
import { conforms } from './conformance.js';
import type { Options } from 'amqplib';

const declareTwice =
  (
    type: string,
    first: Options.AssertExchange,
    again: string,
    second: Options.AssertExchange,
  ): Case =>
  async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    return [
      await seat.try((channel) => channel.assertExchange(name('x'), type, first)),
      await seat.try((channel) => channel.assertExchange(name('x'), again, second)),
      seat.closed,
    ];
  };

const refusedDeclare =
  (exchange: string, type: string, options: Options.AssertExchange = {}): Case =>
  async ({ connect }) => {
    const peer = await connect();
    const seat = await peer.seat();
    const outcome = await seat.try((channel) => channel.assertExchange(exchange, type, options));
    return [outcome, seat.closed];
  };

conforms('exchanges', {
  'declares direct twice': declareTwice('direct', {}, 'direct', {}),
  'declares fanout twice': declareTwice('fanout', { durable: false }, 'fanout', { durable: false }),
  'declares topic twice': declareTwice('topic', { autoDelete: true }, 'topic', {
    autoDelete: true,
  }),
  'declares headers twice': declareTwice('headers', { internal: true }, 'headers', {
    internal: true,
  }),
  'refuses another type': declareTwice('direct', {}, 'topic', {}),
  'refuses another durability': declareTwice('direct', {}, 'direct', { durable: false }),
  'refuses another auto-delete': declareTwice('direct', {}, 'direct', { autoDelete: true }),
  'refuses another internal': declareTwice('direct', { internal: true }, 'direct', {}),
  'refuses another alternate exchange': declareTwice(
    'direct',
    { alternateExchange: 'a' },
    'direct',
    { alternateExchange: 'b' },
  ),
  'refuses an alternate exchange more': declareTwice('direct', {}, 'direct', {
    alternateExchange: 'b',
  }),
  'does not compare other arguments': declareTwice(
    'direct',
    { arguments: { other: 1 } },
    'direct',
    { arguments: { other: 2 } },
  ),
  'refuses an alternate exchange that is no name': refusedDeclare('ae', 'direct', {
    arguments: { 'alternate-exchange': 5 },
  }),
  'refuses an unknown type': refusedDeclare('unknown-type', 'x-nothing'),
  'refuses to declare the default exchange': refusedDeclare('', 'direct'),
  'refuses a reserved name': refusedDeclare('amq.mine', 'direct'),
  'declares one of its own again': refusedDeclare('amq.topic', 'topic', { durable: true }),
  'refuses one of its own with another type': refusedDeclare('amq.topic', 'direct', {
    durable: true,
  }),

  'finds none passively': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    return [await seat.try((channel) => channel.checkExchange(name('none'))), seat.closed];
  },
  'finds one passively, whatever it is': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertExchange(name('x'), 'topic');
    return seat.try((channel) => channel.checkExchange(name('x')));
  },
  'finds its own passively': async ({ connect }) => {
    const seat = await (await connect()).seat();
    const all = [
      'amq.direct',
      'amq.fanout',
      'amq.topic',
      'amq.headers',
      'amq.match',
      'amq.rabbitmq.trace',
    ];
    const found = [];
    for (const exchange of all)
      found.push(await seat.try((channel) => channel.checkExchange(exchange)));
    return found;
  },
  'refuses the default one passively': async ({ connect }) => {
    const seat = await (await connect()).seat();
    return [await seat.try((channel) => channel.checkExchange('')), seat.closed];
  },

  'deletes one, and once more': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertExchange(name('x'), 'direct');
    return [
      await seat.try((channel) => channel.deleteExchange(name('x'))),
      await seat.try((channel) => channel.deleteExchange(name('x'))),
      await seat.try((channel) => channel.checkExchange(name('x'))),
    ];
  },
  'does not delete one that is used, if asked': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertExchange(name('x'), 'direct');
    await seat.channel.assertQueue(name('q'));
    await seat.channel.bindQueue(name('q'), name('x'), 'k');
    return [
      await seat.try((channel) => channel.deleteExchange(name('x'), { ifUnused: true })),
      seat.closed,
    ];
  },
  'deletes an unused one, if asked': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertExchange(name('x'), 'direct');
    return seat.try((channel) => channel.deleteExchange(name('x'), { ifUnused: true }));
  },
  'does not delete its own': async ({ connect }) => {
    const seat = await (await connect()).seat();
    return [await seat.try((channel) => channel.deleteExchange('amq.direct')), seat.closed];
  },
  'does not delete the default one': async ({ connect }) => {
    const seat = await (await connect()).seat();
    return [await seat.try((channel) => channel.deleteExchange('')), seat.closed];
  },

  'deletes an auto-delete one with its last binding': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertExchange(name('x'), 'direct', { autoDelete: true });
    await seat.channel.assertQueue(name('q'));
    await seat.channel.bindQueue(name('q'), name('x'), 'one');
    await seat.channel.bindQueue(name('q'), name('x'), 'two');
    await seat.channel.unbindQueue(name('q'), name('x'), 'one');
    const between = await seat.try((channel) => channel.checkExchange(name('x')));
    await seat.channel.unbindQueue(name('q'), name('x'), 'two');
    return [between, await seat.try((channel) => channel.checkExchange(name('x')))];
  },
  'deletes an auto-delete one with its last queue': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertExchange(name('x'), 'direct', { autoDelete: true });
    await seat.channel.assertQueue(name('q'));
    await seat.channel.bindQueue(name('q'), name('x'), 'one');
    await seat.channel.deleteQueue(name('q'));
    return seat.try((channel) => channel.checkExchange(name('x')));
  },

  'refuses a publish to an internal one': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertExchange(name('x'), 'direct', { internal: true });
    return seat.fate((channel) => channel.publish(name('x'), 'k', Buffer.from('no')));
  },
  'refuses a publish to one that is missing': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    return seat.fate((channel) => channel.publish(name('none'), 'k', Buffer.from('no')));
  },

  'routes from one to another, once for each queue': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    for (const exchange of ['a', 'b', 'c'])
      await seat.channel.assertExchange(name(exchange), 'fanout');
    await seat.channel.assertQueue(name('q'));
    await seat.channel.bindExchange(name('b'), name('a'), '');
    await seat.channel.bindExchange(name('c'), name('a'), '');
    await seat.channel.bindExchange(name('a'), name('c'), '');
    await seat.channel.bindQueue(name('q'), name('b'), '');
    await seat.channel.bindQueue(name('q'), name('c'), '');
    seat.channel.publish(name('a'), 'k', Buffer.from('once'));
    const ready = await seat.ready(name('q'), 1);
    return [ready, await seat.get(name('q'))];
  },
  'routes no more after an unbind': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertExchange(name('a'), 'fanout');
    await seat.channel.assertExchange(name('b'), 'fanout');
    await seat.channel.assertQueue(name('q'));
    await seat.channel.bindQueue(name('q'), name('b'), '');
    await seat.channel.bindExchange(name('b'), name('a'), 'k');
    await seat.channel.unbindExchange(name('b'), name('a'), 'k');
    seat.channel.publish(name('a'), 'k', Buffer.from('no'), { mandatory: true });
    return [await seat.confirms(1), seat.returned, await seat.drain(name('q'))];
  },
  'takes what no queue took to the alternate exchange': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertExchange(name('ae'), 'fanout');
    await seat.channel.assertExchange(name('x'), 'direct', { alternateExchange: name('ae') });
    await seat.channel.assertQueue(name('main'));
    await seat.channel.assertQueue(name('rest'));
    await seat.channel.bindQueue(name('main'), name('x'), 'k');
    await seat.channel.bindQueue(name('rest'), name('ae'), '');
    seat.channel.publish(name('x'), 'k', Buffer.from('routed'), { mandatory: true });
    seat.channel.publish(name('x'), 'other', Buffer.from('rest'), { mandatory: true });
    await seat.confirms(2);
    return [
      seat.confirmed,
      seat.returned,
      await seat.get(name('main')),
      await seat.get(name('rest')),
    ];
  },
  'goes on along alternate exchanges, and returns what none took': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertExchange(name('b'), 'direct', { alternateExchange: name('missing') });
    await seat.channel.assertExchange(name('a'), 'direct', { alternateExchange: name('b') });
    seat.channel.publish(name('a'), 'k', Buffer.from('nowhere'), { mandatory: true });
    return [await seat.confirms(1), seat.returned];
  },
  'refuses to bind to the default exchange': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertExchange(name('x'), 'direct');
    return [await seat.try((channel) => channel.bindExchange(name('x'), '', 'k')), seat.closed];
  },
  'refuses to bind what is missing': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertExchange(name('x'), 'direct');
    return [
      await seat.try((channel) => channel.bindExchange(name('x'), name('none'), 'k')),
      seat.closed,
    ];
  },
  'refuses to bind to what is missing': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertExchange(name('x'), 'direct');
    return [
      await seat.try((channel) => channel.bindExchange(name('none'), name('x'), 'k')),
      seat.closed,
    ];
  },
  'unbinds what was never bound, or is not there': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    await seat.channel.assertExchange(name('x'), 'direct');
    return [
      await seat.try((channel) => channel.unbindExchange(name('x'), 'amq.direct', 'k')),
      await seat.try((channel) => channel.unbindExchange(name('none'), 'amq.direct', 'k')),
      await seat.try((channel) => channel.unbindExchange(name('x'), name('none'), 'k')),
    ];
  },
});
