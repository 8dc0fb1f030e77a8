import { describe, expect, it } from 'vitest';
import { Exchange } from '../../lib/amqp/exchange.js';
import { Queue } from '../../lib/amqp/queue.js';
import { isTopologyError } from '../../lib/errors.js';
import { Link } from '../../lib/failover/link.js';
import { Topology } from '../../lib/failover/topology.js';
import type { Entity } from '../../lib/failover/topology.js';
import { parseBrokers } from '../../lib/amqp/broker-address.js';
import { FakeConnection } from './fakes/fake-connection.js';
import { fakeSetting } from './fakes/fake-setting.js';

const orders = new Exchange('orders', { type: 'topic' });
const created = new Queue('created', { exchange: orders, routingKey: 'order.created' });
const audit = new Queue('audit');

/** A link to a broker of a cluster. */
function linkTo(clusterName?: string, host = 'a') {
  const [broker] = parseBrokers(`amqp://${host}`);
  if (broker === undefined) throw new Error('no broker');
  const server = new FakeConnection(broker, { clusterName });
  return { link: new Link(server), server, calls: server.calls };
}

function topologyOf(...entities: readonly Entity[]) {
  const topology = new Topology();
  topology.add(...entities);
  return topology;
}

describe('declaring on a new connection', () => {
  it('declares exchanges, then queues with their bindings, on a channel of its own that is closed', async () => {
    const { link, server, calls } = linkTo();
    await topologyOf(created, audit).declareOn(link);
    expect(calls).toEqual([
      'assertExchange orders',
      'assertExchange orders',
      'assertQueue created',
      'bindQueue created orders',
      'assertQueue audit',
    ]);
    expect(server.openChannels).toEqual([]);
    expect(await link.defaultChannel()).not.toBe(server.channels[0]);
  });

  it('happens once', async () => {
    const { link, calls, server } = linkTo();
    const topology = topologyOf(created, audit);
    await topology.declareOn(link);
    const { length } = calls;
    await topology.declareOn(link);
    await topology.declare(link, [new Queue('audit')]);
    expect(calls).toHaveLength(length);
    expect(server.channels).toHaveLength(1);
  });

  it('happens once also for those who ask at the same time', async () => {
    const { link, calls } = linkTo();
    const topology = topologyOf(audit);
    await Promise.all([topology.declareOn(link), topology.declareOn(link)]);
    expect(calls).toEqual(['assertQueue audit']);
  });

  it('happens again on the next connection to another cluster', async () => {
    const topology = topologyOf(audit);
    for (const cluster of ['one', 'two']) {
      const { link, calls } = linkTo(cluster);
      await topology.declareOn(link);
      expect(calls).toEqual(['assertQueue audit']);
    }
  });

  it('happens again after forget, with the exchange that the queue is bound to', async () => {
    const { link, calls } = linkTo();
    const topology = topologyOf(created, audit);
    await topology.declareOn(link);
    calls.length = 0;
    topology.forget(link, created);
    await topology.declareOn(link);
    expect(calls).toContain('assertQueue created');
    expect(calls).toContain('assertExchange orders');
    expect(calls).not.toContain('assertQueue audit');
  });

  it('leaves out what is noDeclare, and the exchange that only it needs', async () => {
    const { link, calls } = linkTo();
    await topologyOf(
      new Queue('foreign', { exchange: 'theirs', noDeclare: true }),
      new Exchange('foreign', { noDeclare: true, bindings: [orders.binding('x')] }),
    ).declareOn(link);
    expect(calls).toEqual([]);
  });

  it('only checks what is passive', async () => {
    const { link, calls } = linkTo();
    await topologyOf(new Queue('theirs', { passive: true })).declareOn(link);
    expect(calls).toEqual(['checkQueue theirs']);
  });

  it('binds an amq. exchange, though it is never declared', async () => {
    const { link, calls } = linkTo();
    const topic = new Exchange('amq.topic', { type: 'topic', bindings: [orders.binding('x')] });
    await topologyOf(topic, new Exchange('amq.direct')).declareOn(link);
    expect(calls).toContain('bindExchange amq.topic orders');
    expect(calls).not.toContain('assertExchange amq.topic');
    expect(calls.filter((call) => call.includes('amq.direct'))).toEqual([]);
  });

  it('declares what the broker deletes by itself each time it is asked', async () => {
    const { link, calls } = linkTo();
    const topology = topologyOf(new Queue('brief', { autoDelete: true }));
    await topology.declareOn(link);
    await topology.declareOn(link);
    expect(calls).toEqual(['assertQueue brief', 'assertQueue brief']);
  });
});

describe('queues that belong to one connection', () => {
  const mine = new Queue('mine', { exclusive: true });

  it('are not declared by declareOn', async () => {
    const { link, calls } = linkTo();
    await topologyOf(mine, new Queue('')).declareOn(link);
    expect(calls).toEqual([]);
  });

  it('are declared for the one who asks for the name, once', async () => {
    const { link, calls } = linkTo();
    const topology = new Topology();
    const own = new Queue('');
    expect(await topology.queueName(link, mine)).toBe('mine');
    expect(await topology.queueName(link, own)).toBe('amq.gen-1');
    expect(await topology.queueName(link, own)).toBe('amq.gen-1');
    expect(await topology.queueName(link, audit)).toBe('audit');
    expect(await topology.queueName(link, new Queue('x', { noDeclare: true }))).toBe('x');
    expect(calls).toEqual(['assertQueue mine', 'assertQueue ', 'assertQueue audit']);
  });

  it('with a name given by the server are never the same, however alike they are declared', async () => {
    const { link } = linkTo();
    const topology = new Topology();
    const [one, two] = [new Queue(''), new Queue('')];
    expect(await topology.queueName(link, one)).toBe('amq.gen-1');
    expect(await topology.queueName(link, two)).toBe('amq.gen-2');
  });

  it('get another name on another connection', async () => {
    const topology = new Topology();
    const own = new Queue('');
    const first = linkTo('one');
    const second = linkTo('one');
    second.server.serverNamedQueue();
    expect(await topology.queueName(first.link, own)).toBe('amq.gen-1');
    expect(await topology.queueName(second.link, own)).toBe('amq.gen-2');
  });
});

describe('FailoverConnection.declare', () => {
  it('registers before there is a connection, and declares at once when there is one', async () => {
    const { connection, transport } = fakeSetting();
    await connection.declare(audit);
    expect(transport.dials).toEqual([]);
    await connection.ensureConnection();
    await connection.declare(created);
    expect(transport.latest.calls).toContain('assertQueue created');
    expect(connection.parts.topology.entities).toEqual([audit, created]);
  });

  it('is not failed by what somebody else declared', async () => {
    const { connection, transport } = fakeSetting();
    await connection.declare(audit);
    await connection.ensureConnection();
    transport.latest.answer = (call) => (call.endsWith('audit') ? 406 : 'ok');
    await connection.declare(created);
    await expect(connection.declare(audit)).rejects.toSatisfy(isTopologyError);
  });

  it('is shared with a clone', async () => {
    const { connection } = fakeSetting();
    const clone = connection.clone();
    await clone.declare(audit);
    expect(connection.parts.topology.entities).toEqual([audit]);
    await clone.close();
  });
});
