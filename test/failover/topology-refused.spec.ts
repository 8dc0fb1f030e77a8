import { describe, expect, it } from 'vitest';
import { Exchange } from '../../lib/amqp/exchange.js';
import { Queue } from '../../lib/amqp/queue.js';
import type { TopologyError } from '../../lib/errors.js';
import { isAmqpError, isConfigurationError, isTopologyError } from '../../lib/errors.js';
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

describe('a declaration that the broker refuses', () => {
  it('does not keep the others from being declared, and is named', async () => {
    const { link, calls, server } = linkTo();
    server.answer = (call) => (call === 'assertQueue created' ? 406 : 'ok');
    const failed = watch(topologyOf(created, audit).declareOn(link));
    await settled();
    expect(calls.at(-1)).toBe('assertQueue audit');
    expect(failed.error).toMatchObject({ entity: 'queue "created"', code: 406 });
    expect((failed.error as Error).cause).toSatisfy(isAmqpError);
    expect(server.openChannels).toEqual([]);
  });

  it('is told together with the others of its kind', async () => {
    const { link, server } = linkTo();
    server.answer = (call) => (call.startsWith('assertQueue') ? 406 : 'ok');
    const failed = watch(topologyOf(created, audit).declareOn(link));
    await settled();
    const { message, cause } = failed.error as TopologyError;
    expect(message).toContain('queue "created"');
    expect(message).toContain('queue "audit"');
    expect((cause as AggregateError).errors).toHaveLength(2);
  });

  it('is tried again when asked again', async () => {
    const { link, calls, server } = linkTo();
    const topology = topologyOf(audit);
    server.answer = () => 406;
    await expect(topology.declareOn(link)).rejects.toSatisfy(isTopologyError);
    server.answer = () => 'ok';
    await topology.declareOn(link);
    expect(calls).toEqual(['assertQueue audit', 'assertQueue audit']);
  });

  it('is told to all who asked at the same time', async () => {
    const { link, server } = linkTo();
    server.answer = () => 406;
    const topology = topologyOf(audit);
    const both = [watch(topology.declareOn(link)), watch(topology.declareOn(link))];
    await settled();
    for (const { error } of both) expect(error).toSatisfy(isTopologyError);
  });

  it('is not what a lost connection is', async () => {
    const { link, server } = linkTo();
    server.answer = () => 'hang';
    const failed = watch(topologyOf(audit).declareOn(link));
    await settled();
    server.drop();
    await settled();
    expect(failed.error).toBe(server.loss);
  });
});

describe('the registry', () => {
  it('takes the same declaration twice, and refuses a different one of the same name', () => {
    const topology = topologyOf(orders, created, audit);
    topology.add(new Queue('audit'), new Exchange('orders', { type: 'topic' }));
    expect(topology.entities).toHaveLength(3);
    for (const other of [new Queue('audit', { type: 'quorum' }), new Exchange('orders')]) {
      expect(() => topology.add(other)).toThrow(expect.toSatisfy(isConfigurationError) as never);
    }
  });

  it.each([[undefined], ['audit'], [{ name: 'audit' }]])('refuses %o', (entity) => {
    expect(() => topologyOf(entity as never)).toThrow(
      expect.toSatisfy(isConfigurationError) as never,
    );
  });
});
