import type { Case } from './conformance.js';
import { conforms } from './conformance.js';

/** Binds a queue for each pattern, publishes each key, and tells which queue got which. */
const topics =
  (patterns: readonly string[], keys: readonly string[]): Case =>
  async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertExchange(name('x'), 'topic');
    for (const [index, pattern] of patterns.entries()) {
      await seat.channel.assertQueue(name(`q${index}`));
      await seat.channel.bindQueue(name(`q${index}`), name('x'), pattern);
    }
    for (const key of keys) seat.channel.publish(name('x'), key, Buffer.from(key));
    await seat.confirms(keys.length);
    const got: Record<string, string[]> = {};
    for (const [index, pattern] of patterns.entries()) {
      got[`${pattern} (${index})`] = await seat.drain(name(`q${index}`));
    }
    return got;
  };

const keys = ['', 'a', 'b', 'a.b', 'a.b.c', 'a..c', '.', 'a.', '.a', 'a.b.c.d', 'x.b.y'];

const headers =
  (binding: Record<string, unknown>, ...messages: Record<string, unknown>[]): Case =>
  async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'));
    const bound = await seat.try((channel) =>
      channel.bindQueue(name('q'), 'amq.headers', '', { ...binding, case: name('') }),
    );
    if (seat.closed !== undefined) return bound;
    for (const [index, table] of messages.entries()) {
      seat.channel.publish('amq.headers', '', Buffer.from(String(index)), {
        headers: { ...table, case: name('') },
      });
    }
    await seat.confirms(messages.length);
    return seat.drain(name('q'));
  };

/** Without the header that keeps the cases apart. */
const anyHeaders =
  (binding: Record<string, unknown>, ...messages: Record<string, unknown>[]): Case =>
  async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertExchange(name('x'), 'headers');
    await seat.channel.assertQueue(name('q'));
    const bound = await seat.try((channel) => channel.bindQueue(name('q'), name('x'), '', binding));
    if (seat.closed !== undefined) return [bound, seat.closed];
    for (const [index, table] of messages.entries()) {
      seat.channel.publish(name('x'), '', Buffer.from(String(index)), { headers: table });
    }
    await seat.confirms(messages.length);
    return seat.drain(name('q'));
  };

conforms('routing', {
  'by topic, words': topics(['a', 'a.b', 'b'], keys),
  'by topic, *': topics(['*', '*.b', 'a.*', '*.*', 'a.*.c'], keys),
  'by topic, #': topics(['#', 'a.#', '#.c', 'a.#.c', '#.b.#', '#.#'], keys),
  'by topic, both': topics(['*.#', '#.*', '*.b.#', '#.*.c'], keys),
  'by topic, empty words': topics(['', '.', 'a..c', '*.*.c', 'a.'], keys),
  'by direct key': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertExchange(name('x'), 'direct');
    for (const queue of ['one', 'two']) {
      await seat.channel.assertQueue(name(queue));
      await seat.channel.bindQueue(name(queue), name('x'), 'both');
      await seat.channel.bindQueue(name(queue), name('x'), queue);
    }
    for (const key of ['both', 'one', 'two', 'none'])
      seat.channel.publish(name('x'), key, Buffer.from(key));
    await seat.confirms(4);
    return [await seat.drain(name('one')), await seat.drain(name('two'))];
  },
  'by fanout, whatever the key, once a queue': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertExchange(name('x'), 'fanout');
    await seat.channel.assertQueue(name('q'));
    await seat.channel.bindQueue(name('q'), name('x'), 'a');
    await seat.channel.bindQueue(name('q'), name('x'), 'b');
    for (const key of ['a', 'z', '']) seat.channel.publish(name('x'), key, Buffer.from(key));
    await seat.confirms(3);
    return seat.drain(name('q'));
  },
  'by the name of a queue': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'));
    seat.channel.publish('', name('q'), Buffer.from('there'), { mandatory: true });
    seat.channel.publish('', name('none'), Buffer.from('nowhere'), { mandatory: true });
    await seat.confirms(2);
    return [seat.confirmed, seat.returned, await seat.get(name('q'))];
  },
  'bound twice in the same words, unbound once': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'));
    await seat.channel.bindQueue(name('q'), 'amq.direct', name('k'));
    await seat.channel.bindQueue(name('q'), 'amq.direct', name('k'));
    seat.channel.publish('amq.direct', name('k'), Buffer.from('1'));
    await seat.confirms(1);
    await seat.channel.unbindQueue(name('q'), 'amq.direct', name('k'));
    seat.channel.publish('amq.direct', name('k'), Buffer.from('2'));
    await seat.confirms(2);
    return seat.drain(name('q'));
  },
  'bound with other arguments is bound otherwise': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    await seat.channel.assertQueue(name('q'));
    await seat.channel.bindQueue(name('q'), 'amq.direct', name('k'), { n: 1 });
    await seat.channel.bindQueue(name('q'), 'amq.direct', name('k'), { n: 2 });
    await seat.channel.unbindQueue(name('q'), 'amq.direct', name('k'), { n: 1 });
    seat.channel.publish('amq.direct', name('k'), Buffer.from('1'));
    await seat.confirms(1);
    return seat.drain(name('q'));
  },
  'to further keys by CC and BCC, of which the latter is not seen': async ({ connect, name }) => {
    const seat = await (await connect()).confirmSeat();
    for (const queue of ['to', 'cc', 'bcc']) await seat.channel.assertQueue(name(queue));
    seat.channel.publish('', name('to'), Buffer.from('copy'), {
      headers: { a: 1 },
      CC: [name('cc')],
      BCC: [name('bcc')],
    });
    await seat.confirms(1);
    return [await seat.get(name('to')), await seat.get(name('cc')), await seat.get(name('bcc'))];
  },
  'refuses a CC that is no list': async ({ connect, name }) => {
    const seat = await (await connect()).seat();
    return seat.fate((channel) =>
      channel.publish('', name('q'), Buffer.from('x'), { headers: { CC: 'one' } }),
    );
  },

  'by all headers': headers(
    { 'x-match': 'all', a: 1, b: 'two' },
    { a: 1, b: 'two' },
    { a: 1 },
    { a: 1, b: 'two', c: 3 },
    { a: '1', b: 'two' },
  ),
  'by all headers when nothing is said': headers({ a: 1 }, { a: 1 }, { b: 1 }),
  'by any header': anyHeaders(
    { 'x-match': 'any', a: 1, b: 'two' },
    { a: 1 },
    { b: 'two' },
    { a: 2 },
    {},
    { c: 1 },
  ),
  'by any of none': anyHeaders({ 'x-match': 'any' }, {}, { a: 1 }),
  'by all of none': anyHeaders({ 'x-match': 'all' }, {}, { a: 1 }),
  'by all headers but those that begin with x-': anyHeaders(
    { 'x-match': 'all', 'x-a': 1, b: 2 },
    { b: 2 },
    { 'x-a': 1 },
  ),
  'by any header but those that begin with x-': anyHeaders(
    { 'x-match': 'any', 'x-a': 1, b: 2 },
    { b: 2 },
    { 'x-a': 1 },
  ),
  'by all headers with those that begin with x-': anyHeaders(
    { 'x-match': 'all-with-x', 'x-a': 1, b: 2 },
    { b: 2 },
    { 'x-a': 1, b: 2 },
  ),
  'by any header with those that begin with x-': anyHeaders(
    { 'x-match': 'any-with-x', 'x-a': 1, b: 2 },
    { 'x-a': 1 },
    { c: 1 },
  ),
  'refuses an unknown match': anyHeaders({ 'x-match': 'some' }),
  'refuses a match that is no text': anyHeaders({ 'x-match': 5 }),
  'by a header of another width': anyHeaders(
    { a: 1 },
    { a: { '!': 'long', value: 1 } },
    { a: 1.5 },
    { a: true },
  ),
  'by flags and texts': anyHeaders(
    { a: true, b: 'x' },
    { a: true, b: 'x' },
    { a: false, b: 'x' },
    { a: true, b: 'y' },
  ),
});
