import { describe, expect, it } from 'vitest';
import { parseBrokers } from '../../lib/amqp/broker-address.js';
import type { Broker } from '../../lib/amqp/broker.js';
import type { AmqpError, ConnectError } from '../../lib/errors.js';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { dial, rejection } from '../kit/dial.js';

const [node] = useBrokers();

const brokerOf = (url: string): Broker => {
  const [broker] = parseBrokers(url);
  if (broker === undefined) throw new Error(`no broker in ${url}`);
  return broker;
};

/** A broker in a virtual host of the test's own. */
async function freshBroker(): Promise<Broker> {
  const { url } = await useVhost(node);
  return brokerOf(url(node));
}

describe('a dial to RabbitMQ', () => {
  it('tells the product, and a cluster name', async () => {
    const { connection } = await dial(await freshBroker());
    expect(connection.serverProperties.product).toBe('RabbitMQ');
    expect(connection.serverProperties.version).toMatch(/^\d+\.\d+/u);
    expect(connection.serverProperties.clusterName).toBeTypeOf('string');
  });

  it('says that the login was refused', async () => {
    const broker = brokerOf(node.url({ user: 'nobody', password: 's3cr3t-p4ss' }));
    const error = await rejection<ConnectError>(dial(broker));
    expect(error).toMatchObject({ name: 'ConnectError', reason: 'refused' });
    expect(error.message).toContain('login of user "nobody"');
    expect(error.message).not.toContain('s3cr3t-p4ss');
  });

  it('says that the virtual host was refused', async () => {
    const error = await rejection<ConnectError>(dial(brokerOf(node.url({ vhost: 'missing' }))));
    expect(error).toMatchObject({ reason: 'refused' });
    expect(error.message).toContain('virtual host "missing"');
  });

  it('says that a limit was reached', async () => {
    const { name, url } = await useVhost(node);
    await node.setVhostLimits(name, { 'max-connections': 0 });
    expect(await rejection<ConnectError>(dial(brokerOf(url(node))))).toMatchObject({
      reason: 'refused',
    });
  });

  it('logs in with a password that is not ASCII', async () => {
    const { name, url } = await useVhost(node);
    await node.addUser('jürgen', 'pä%ss/wört');
    try {
      await node.setPermissions('jürgen', name);
      const broker = brokerOf(url(node, { user: 'jürgen', password: 'pä%ss/wört' }));
      const { connection } = await dial(broker);
      expect(connection.loss).toBeUndefined();
    } finally {
      await node.deleteUser('jürgen');
    }
  });

  it('to a node that hangs ends at its deadline', async () => {
    const broker = await freshBroker();
    await node.pause();
    const error = await rejection<ConnectError>(dial(broker, { connectTimeout: 300 }));
    expect(error).toMatchObject({ reason: 'timeout' });
  });

  it('to a node that is dead is refused by its port', async () => {
    const broker = await freshBroker();
    await node.kill();
    expect(await rejection<ConnectError>(dial(broker))).toMatchObject({ reason: 'unreachable' });
  });
});

describe('a channel to RabbitMQ', () => {
  it('publishes with confirms, and consumes with acks', async () => {
    const { connection } = await dial(await freshBroker());
    const channel = await connection.openConfirmChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    for (let n = 0; n < 2_000; n += 1) channel.sendToQueue(queue, Buffer.from(String(n)));
    await channel.waitForConfirms();
    await channel.prefetch(100);
    const bodies: string[] = [];
    await new Promise<void>((resolve, reject) => {
      channel.on('close', reject);
      channel
        .consume(queue, (message) => {
          if (message === null) return;
          bodies.push(message.content.toString());
          channel.ack(message);
          if (bodies.length === 2_000) resolve();
        })
        .catch(reject);
    });
    expect(bodies).toEqual(Array.from({ length: 2_000 }, (_, n) => String(n)));
    await connection.close();
  });

  it('gets 404 for a missing queue, and 406 for another declaration, on the RPC that asked', async () => {
    const { connection } = await dial(await freshBroker());
    const first = await connection.openChannel();
    expect(await rejection<AmqpError>(first.checkQueue('missing'))).toMatchObject({
      code: 404,
      fault: { scope: 'channel' },
    });
    const second = await connection.openChannel();
    await second.assertQueue('q');
    const error = await rejection<AmqpError>(second.assertQueue('q', { messageTtl: 1 }));
    expect(error).toMatchObject({ code: 406, fault: { scope: 'channel' } });
    expect(error.message).toContain('PRECONDITION_FAILED');
  });

  it('closed over a publish gives its code to no RPC', async () => {
    const { connection } = await dial(await freshBroker());
    const channel = await connection.openConfirmChannel();
    channel.publish('missing', 'q', Buffer.from('x'));
    const confirms = rejection<AmqpError>(channel.waitForConfirms());
    const declared = await rejection<AmqpError>(channel.assertQueue('', { exclusive: true }));
    expect(declared.fault).toMatchObject({ scope: 'channel', code: undefined });
    expect(await confirms).toMatchObject({ code: 404 });
  });

  it('tells of a message that no queue took before its confirm', async () => {
    const { connection } = await dial(await freshBroker());
    const channel = await connection.openConfirmChannel();
    const told: string[] = [];
    channel.on('return', (message) => told.push(`return ${message.fields.routingKey}`));
    channel.on('ack', ({ deliveryTag }) => told.push(`ack ${deliveryTag}`));
    channel.publish('amq.direct', 'nowhere', Buffer.from('x'), { mandatory: true });
    await channel.waitForConfirms();
    expect(told).toEqual(['return nowhere', 'ack 1']);
  });

  it('tells a consumer whose queue is deleted', async () => {
    const { connection } = await dial(await freshBroker());
    const [channel, other] = [await connection.openChannel(), await connection.openChannel()];
    await channel.assertQueue('q', { autoDelete: false });
    const cancelled = new Promise((resolve) => {
      channel.on('cancel', resolve);
    });
    const messages: unknown[] = [];
    await channel.consume('q', (message) => messages.push(message), { consumerTag: 'mine' });
    await other.deleteQueue('q');
    expect(await cancelled).toBe('mine');
    expect(messages).toEqual([null]);
    expect(channel.loss).toBeUndefined();
  });

  it('flushes on close what was published before', async () => {
    const broker = await freshBroker();
    const { connection } = await dial(broker);
    const channel = await connection.openChannel();
    await channel.assertQueue('q');
    for (let n = 0; n < 500; n += 1) channel.sendToQueue('q', Buffer.alloc(3_000));
    await connection.close();
    const again = await dial(broker);
    const { messageCount } = await (await again.connection.openChannel()).checkQueue('q');
    expect(messageCount).toBe(500);
  });
});

describe('a connection to RabbitMQ', () => {
  it.each<[string, () => Promise<void>, number | undefined]>([
    ['killed', () => node.kill(), undefined],
    ['stopped', () => node.stop(), 320],
    ['closed by the operator', () => node.closeConnections('maintenance'), 320],
  ])('that is %s tells its loss', async (_name, end, code) => {
    const { connection, clock } = await dial(await freshBroker());
    const ended = new Promise<AmqpError>((resolve) => {
      connection.onEnd(resolve);
    });
    const channel = await connection.openConfirmChannel();
    await end();
    expect((await ended).fault).toMatchObject({ scope: 'connection', code });
    expect(() => channel.publish('', 'q', Buffer.from('x'))).toThrow(/has ended/u);
    await connection.close();
    expect(clock.pending).toBe(0);
  });

  it('that hangs is noticed by its heartbeat', async () => {
    const { connection } = await dial(await freshBroker(), { heartbeat: 1_000 });
    const ended = new Promise<AmqpError>((resolve) => {
      connection.onEnd(resolve);
    });
    await node.pause();
    expect((await ended).message).toContain('Heartbeat timeout');
    await connection.close();
  });

  it('that is blocked says so, and closes all the same', async () => {
    const { connection, clock } = await dial(await freshBroker());
    const channel = await connection.openConfirmChannel();
    const blocked = new Promise<string | undefined>((resolve) => {
      connection.onBlocked(resolve);
    });
    await node.memoryAlarm(true);
    channel.publish('amq.direct', 'q', Buffer.from('x'));
    expect(await blocked).toContain('memory');
    expect(connection.blocked).toContain('memory');
    await connection.close();
    expect(clock.pending).toBe(0);
  });
});
