import { describe, expect, it } from 'vitest';
import { Exchange } from '../../lib/amqp/exchange.js';
import { Queue } from '../../lib/amqp/queue.js';
import { isTopologyError } from '../../lib/errors.js';
import { classicOnCluster } from '../../lib/failover.messages.js';
import { Link } from '../../lib/failover/link.js';
import { Topology } from '../../lib/failover/topology.js';
import type { Entity } from '../../lib/failover/topology.js';
import { parseBrokers } from '../../lib/amqp/broker-address.js';
import { settled } from './fakes/fake-clock.js';
import { FakeConnection } from './fakes/fake-connection.js';
import { watch } from './fakes/fake-setting.js';

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

describe('on a cluster where it was declared before', () => {
  it('everything is only looked at', async () => {
    const topology = topologyOf(created, audit);
    await topology.declareOn(linkTo('one').link);
    const { link, calls } = linkTo('one', 'b');
    await topology.declareOn(link);
    expect(calls).toEqual(['checkExchange orders', 'checkQueue created', 'checkQueue audit']);
  });

  it('with the option cluster, whatever name each node tells', async () => {
    const topology = new Topology({ cluster: true, warn: () => undefined });
    topology.add(audit);
    await topology.declareOn(linkTo('rabbit@one').link);
    const { link, calls } = linkTo('rabbit@two', 'b');
    await topology.declareOn(link);
    expect(calls).toEqual(['checkQueue audit']);
  });

  it('without a cluster name, that is the same broker', async () => {
    const topology = topologyOf(audit);
    await topology.declareOn(linkTo(undefined, 'a').link);
    const again = linkTo(undefined, 'a');
    const other = linkTo(undefined, 'b');
    await topology.declareOn(again.link);
    await topology.declareOn(other.link);
    expect(again.calls).toEqual(['checkQueue audit']);
    expect(other.calls).toEqual(['assertQueue audit']);
  });

  it('a missing queue is declared and bound, the rest only looked at', async () => {
    const topology = topologyOf(created, audit);
    await topology.declareOn(linkTo('one').link);
    const { link, calls, server } = linkTo('one');
    server.answer = (call) => (call === 'checkQueue created' ? 404 : 'ok');
    await topology.declareOn(link);
    expect(calls).toEqual([
      'checkExchange orders',
      'checkQueue created',
      'assertExchange orders',
      'assertQueue created',
      'bindQueue created orders',
      'checkQueue audit',
    ]);
    expect(server.openChannels).toEqual([]);
  });

  it('a missing exchange has everything declared again, since its bindings are gone with it', async () => {
    const topology = topologyOf(created, audit);
    await topology.declareOn(linkTo('one').link);
    const { link, calls, server } = linkTo('one');
    server.answer = (call) => (call === 'checkExchange orders' ? 404 : 'ok');
    await topology.declareOn(link);
    expect(calls).toEqual([
      'checkExchange orders',
      'assertExchange orders',
      'assertExchange orders',
      'assertQueue created',
      'bindQueue created orders',
      'assertQueue audit',
    ]);
  });

  it('a check that is refused for another reason is a TopologyError, and harms no other', async () => {
    const topology = topologyOf(created, audit);
    await topology.declareOn(linkTo('one').link);
    const { link, calls, server } = linkTo('one');
    server.answer = (call) => (call === 'checkQueue created' ? 405 : 'ok');
    const failed = watch(topology.declareOn(link));
    await settled();
    expect(failed.error).toMatchObject({ entity: 'queue "created"', code: 405 });
    expect(failed.error).toSatisfy(isTopologyError);
    expect(calls).toContain('checkQueue audit');
    expect(calls).not.toContain('assertQueue created');
  });
});

describe('a durable classic queue', () => {
  const warned = (cluster: boolean, ...queues: readonly Queue[]) => {
    const lines: string[] = [];
    const topology = new Topology({ cluster, warn: (line) => lines.push(line) });
    topology.add(...queues);
    topology.add(...queues);
    return lines;
  };

  it('on a cluster is warned about, once', () => {
    expect(warned(true, audit)).toEqual([classicOnCluster('queue "audit"')]);
  });

  it.each([
    ['elsewhere', false, audit],
    ['when it is a quorum queue', true, new Queue('q', { type: 'quorum' })],
    ['when it does not outlive its node anyway', true, new Queue('q', { durable: false })],
    ['when it is exclusive', true, new Queue('q', { exclusive: true })],
    ['when somebody else declares it', true, new Queue('q', { noDeclare: true })],
  ])('is not warned about %s', (_when, cluster, queue) => {
    expect(warned(cluster, queue)).toEqual([]);
  });
});
