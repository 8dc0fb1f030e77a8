import { inspect } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import type { Channel, Message } from 'nestjs-failover';
import {
  Broker,
  ConsumerLoop,
  Exchange,
  FailoverConnection,
  Producer,
  Queue,
} from 'nestjs-failover';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { rejection } from '../kit/dial.js';
import { next, recorded, useFront } from '../kit/fronts.js';
import { freePorts } from '../kit/rabbitmq/ports.js';

const [first] = useBrokers();

const SECRET = 'pl4nted-s3cret';

/** Everything that could be written of a value by somebody who logs it. */
function written(value: unknown): string {
  const texts = [inspect(value, { depth: 10, showHidden: true, getters: true }), String(value)];
  try {
    texts.push(JSON.stringify(value) ?? '');
  } catch {
    // A value that points to itself has no JSON.
  }
  for (let error = value; error instanceof Error; error = error.cause) {
    texts.push(error.message, error.stack ?? '', inspect(error, { showHidden: true }));
  }
  return texts.join('\n');
}

/** Collects what a run tells, and finds where the secret is in it. */
function collector() {
  const told: { what: string; text: string }[] = [];
  const note = (what: string, value: unknown) => told.push({ what, text: written(value) });
  const line = (...parts: unknown[]) => parts.forEach((part) => note('logger', part));
  return {
    note,
    logger: { log: line, warn: line, error: line, debug: line },
    leaks() {
      if (told.length < 4) throw new Error('too little was told to prove anything');
      const leaks = told.filter(({ text }) => text.includes(SECRET));
      return leaks.map(({ what, text }) => `${what}: ${around(text)}`);
    },
  };
}

const around = (text: string): string => {
  const at = text.indexOf(SECRET);
  return text.slice(Math.max(0, at - 80), at + 80);
};

test('shows no password of a URL or an object while it connects, fails over, publishes and consumes', async () => {
  const vhost = await useVhost(first);
  const user = `user-${vhost.name}`;
  await first.addUser(user, SECRET);
  onTestFinished(() => first.deleteUser(user));
  await first.setPermissions(user, vhost.name);
  const { proxy, url } = await useFront(first, vhost);
  const [dead = 0] = await freePorts(1);
  const { note, logger, leaks } = collector();
  const withUser = new URL(url);
  withUser.username = user;
  withUser.password = SECRET;
  const connection = new FailoverConnection({
    urls: [
      `amqp://${user}:${SECRET}@127.0.0.1:${dead}`,
      { hostname: '127.0.0.1', port: dead, username: user, password: SECRET, vhost: 'b' },
      { hostname: '127.0.0.1', port: dead, username: user, password: () => SECRET, vhost: 'c' },
      withUser.href,
    ],
    logger,
    intervalStart: 20,
    refusedInterval: 20,
  });
  onTestFinished(() => connection.close());
  const events = recorded(connection);
  const queue = new Queue('orders', {
    exchange: new Exchange('orders', { type: 'topic' }),
    routingKey: '#',
  });
  const seen: Message[] = [];
  const channels: Channel[] = [];
  const consumer = new ConsumerLoop(connection, {
    name: 'Orders',
    queues: [queue],
    handle: (_body, message) => {
      seen.push(message);
      throw new Error('the handler failed');
    },
    hooks: { onConsumeReady: (channel) => channels.push(channel) },
  });
  await consumer.start();
  const producer = new Producer(connection);
  note('receipt', await producer.publish('one', { exchange: queue.exchange, routingKey: 'a' }));
  proxy.once({ method: 'basic.publish' }, 'cut-rst');
  note(
    'PublishError',
    await rejection(
      producer.publish('two', { exchange: queue.exchange, routingKey: 'b', republish: false }),
    ),
  );
  const channel = await connection.channel();
  channels.push(channel, await connection.channel({ confirm: true }));
  note('404', await rejection(connection.ensure(null, () => channel.checkQueue('none'))()));
  note('encode', await rejection(producer.publish(1n)));
  note(
    'TopologyError',
    await rejection(connection.declare(new Queue('orders', { durable: false }))),
  );
  const refused = next(connection, 'refused');
  await first.clearPermissions(user, vhost.name);
  await first.closeConnections('rotation');
  proxy.once({ method: 'connection.start-ok' }, 'pass');
  await Promise.race([refused, next(connection, 'failed')]);
  note('OperationalError', await rejection(connection.ensureConnection({ maxRetries: 0 })));
  note('state', connection.state);
  note('info', connection.info());
  note('asUri', connection.asUri());
  for (const [what, value] of Object.entries({
    connection,
    parts: connection.parts,
    consumer,
    producer,
    events,
    queue,
    state: consumer.state,
    lastError: consumer.lastError,
  })) {
    note(what, value);
  }
  for (const message of seen) note('Message', message);
  for (const one of channels) {
    note('Channel', one);
    note('BrokerConnection', one.connection);
    note('Broker', one.connection.broker);
    note('loss', one.loss);
  }
  await consumer.stop({ timeout: 100 });
  await producer.close({ timeout: 100 });

  expect(seen.length).toBeGreaterThan(0);
  expect(leaks()).toEqual([]);
});

test('shows no password when every broker refuses it, nor what a password function threw away', async () => {
  const vhost = await useVhost(first);
  const { note, logger, leaks } = collector();
  for (const password of [SECRET, () => SECRET, () => Promise.resolve(`${SECRET}\0`)]) {
    const connection = new FailoverConnection({
      urls: [{ hostname: '127.0.0.1', port: first.port, vhost: vhost.name, password }],
      logger,
    });
    note('OperationalError', await rejection(connection.connect({ timeout: 5_000 })));
    note('connection', connection);
    await connection.close();
  }
  expect(leaks()).toEqual([]);
});

test('shows neither the passphrase of a TLS key nor the password beside it', async () => {
  const { note, logger, leaks } = collector();
  const connection = new FailoverConnection({
    urls: `amqps://user:${SECRET}@127.0.0.1:${first.port}/?password=${SECRET}&verify=verify_none`,
    logger,
  });
  // It speaks no TLS there.
  note('OperationalError', await rejection(connection.ensureConnection({ maxRetries: 0 })));
  note('connection', connection);
  note('parts', connection.parts);
  note('info', connection.info());
  await connection.close();
  expect(leaks()).toEqual([]);
});

test.for([
  `amqp://user:${SECRET}@host:port`,
  `amqp://user:${SECRET}@host/a/b`,
  `amqp://user:${SECRET}@ho st`,
  `http://user:${SECRET}@host`,
  `amqp://user:${SECRET}`,
  `amqp://user:${SECRET}#@host`,
  `amqp://host?password=${SECRET}`,
  `amqp://host?passwrd=${SECRET}`,
  `amqp://a;amqps://user:${SECRET}@b`,
  `amqp://user:${SECRET}@a;amqp://user:${SECRET}@a`,
  `user:${SECRET}@%%`,
])('shows no password in the error that refuses %s', (urls) => {
  const errors: unknown[] = [];
  for (const given of [
    urls,
    [urls],
    [{ hostname: urls }],
    [{ hostname: 'a', password: 5, url: urls }],
  ]) {
    try {
      new FailoverConnection({ urls: given as never, logger: false });
    } catch (error) {
      errors.push(error);
    }
  }
  expect(errors.length).toBeGreaterThan(0);
  for (const error of errors) expect(written(error)).not.toContain(SECRET);
});

test('shows no URL that was given as the value of another option', () => {
  const url = `amqp://user:${SECRET}@host`;
  const options = { connectionName: 'a', heartbeat: url, failoverStrategy: url, [url]: 1 };
  for (const [name, value] of Object.entries(options)) {
    let told: unknown;
    try {
      new FailoverConnection({ urls: 'amqp://a', [name]: value, logger: false });
    } catch (error) {
      told = error;
    }
    expect(written(told)).not.toContain(SECRET);
  }
});

test('writes a Broker as its masked address, in every way', () => {
  const broker = new Broker({
    protocol: 'amqps',
    hostname: 'host',
    port: 5671,
    username: 'user',
    password: SECRET,
    vhost: '/',
    tls: { passphrase: SECRET, key: SECRET },
  });
  expect(written(broker)).not.toContain(SECRET);
  expect(written({ broker, tls: broker.tls })).not.toContain(SECRET);
});
