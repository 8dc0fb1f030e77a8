import { connect } from 'amqplib';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { EventEmitter, once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';

import { startOwnBroker, useBrokers, useCluster, useVhost } from '../kit/brokers.js';
import { accepts } from '../kit/rabbitmq/ports.js';
import { RUN_VARIABLE, processesWith } from '../kit/rabbitmq/process-table.js';
import { until } from '../kit/rabbitmq/index.js';
import { startInChild } from './kit.child.js';

/** A connection whose loss is no error of the test; it goes with the test without a handshake, its node may be hung. */
async function dial(url: string): Promise<ChannelModel> {
  const connection = await connect(url);
  connection.on('error', () => {});
  const { stream } = connection.connection as unknown as { stream: Socket };
  onTestFinished(() => {
    stream.destroy();
  });
  return connection;
}

/** Its 'close' alone; once() of node:events would reject on the 'error' that a reset brings first. */
function closeOf(connection: ChannelModel): Promise<unknown> {
  return new Promise((resolve) => {
    connection.once('close', resolve);
  });
}

async function putPersistent(channel: ConfirmChannel, queue: string): Promise<void> {
  channel.sendToQueue(queue, Buffer.from('kept'), { persistent: true });
  await channel.waitForConfirms();
}

describe('a node', () => {
  const [broker, other] = useBrokers();

  it('refuses connections once it is killed, and comes back with its data', async () => {
    const vhost = await useVhost(broker);
    const connection = await dial(vhost.url(broker));
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue('orders', { durable: true });
    await putPersistent(channel, 'orders');
    const closed = closeOf(connection);

    await broker.kill();

    expect(broker.state).toBe('dead');
    expect(await accepts(broker.port)).toBe(false);
    expect(other.state).toBe('running');
    await closed;

    await broker.start();

    const again = await (await dial(vhost.url(broker))).createChannel();
    const message = await again.get('orders', { noAck: true });
    expect(message && message.content.toString()).toBe('kept');
  });

  it('closes its connections with 320 on an orderly stop', async () => {
    const connection = await dial(broker.url());
    const closed = closeOf(connection);

    await broker.stop();

    expect(await closed).toMatchObject({ code: 320 });
    expect(broker.alive).toBe(false);
  });

  it('answers nothing while it is paused, and goes on when it is resumed', async () => {
    const connection = await dial(broker.url());
    const channel = await connection.createChannel();

    await broker.pause();
    const answer = channel.assertQueue('', { exclusive: true });

    expect(broker.state).toBe('paused');
    expect(await Promise.race([answer.then(() => 'answered'), after(300, 'silence')])).toBe(
      'silence',
    );

    await broker.resume();

    expect((await answer).queue).toMatch(/^amq\.gen/);
  });

  it('loses its broker and not its process with stopApp', async () => {
    await broker.stopApp();
    expect(broker.state).toBe('running');
    expect(await broker.isReady()).toBe(false);

    await broker.startApp();
    expect(await broker.isReady()).toBe(true);
  });

  it('closes its connections with 320 and the given reason', async () => {
    const vhost = await useVhost(broker);
    const connection = await dial(vhost.url(broker));
    const closed = closeOf(connection);
    await until(
      'the connection',
      async () => (await broker.connectionCount(vhost.name)) === 1,
      5000,
    );

    await broker.closeConnections('maintenance');

    const message: unknown = expect.stringContaining('maintenance');
    expect(await closed).toMatchObject({ code: 320, message });
    await until(
      'no connection',
      async () => (await broker.connectionCount(vhost.name)) === 0,
      5000,
    );
  });

  it('blocks publishers while its memory alarm is on', async () => {
    const vhost = await useVhost(broker);
    const connection = await dial(vhost.url(broker));
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue('orders');
    const blocked = once(connection, 'blocked');

    await broker.memoryAlarm(true);
    channel.sendToQueue('orders', Buffer.from('held'));

    expect(await blocked).toEqual(['low on memory']);
    const unblocked = once(connection, 'unblocked');
    await broker.memoryAlarm(false);
    await unblocked;
    await channel.waitForConfirms();
    expect(await broker.messageCount('orders', vhost.name)).toBe(1);
  });

  it('refuses new connections and keeps the open ones while its listeners are suspended', async () => {
    const vhost = await useVhost(broker);
    const connection = await dial(vhost.url(broker));

    await broker.suspendListeners();

    await expect(connect(vhost.url(broker))).rejects.toThrow(/ECONNREFUSED/);
    await connection.createChannel();
    await broker.resumeListeners();
    await dial(vhost.url(broker));
  });

  it('turns away a wrong password, a vhost without permission and one connection too many', async () => {
    const vhost = await useVhost(broker);
    await broker.addUser('ann', 'first');
    onTestFinished(() => broker.deleteUser('ann'));
    await broker.setPermissions('ann', vhost.name);
    await broker.changePassword('ann', 'second');

    await expect(connect(vhost.url(broker, { user: 'ann', password: 'first' }))).rejects.toThrow(
      /ACCESS_REFUSED|403/,
    );
    await dial(vhost.url(broker, { user: 'ann', password: 'second' }));

    await broker.setVhostLimits(vhost.name, { 'max-connections': 1 });
    await expect(connect(vhost.url(broker))).rejects.toThrow(/ConnectionClose|NOT_ALLOWED/);
    await broker.clearVhostLimits(vhost.name);
    await dial(vhost.url(broker));

    await broker.clearPermissions('ann', vhost.name);
    await expect(connect(vhost.url(broker, { user: 'ann', password: 'second' }))).rejects.toThrow(
      /ConnectionClose|NOT_ALLOWED/,
    );
  });

  it('counts consumers, ready and all messages of a queue, and deletes it under its consumer', async () => {
    const vhost = await useVhost(broker);
    const channel = await (await dial(vhost.url(broker))).createConfirmChannel();
    for (const type of ['classic', 'quorum']) {
      await channel.assertQueue(type, { durable: true, arguments: { 'x-queue-type': type } });
      await putPersistent(channel, type);
      await putPersistent(channel, type);
      await channel.prefetch(1);
      const deliveries = new EventEmitter();
      const cancel = once(deliveries, 'cancel');
      await channel.consume(type, (message) => deliveries.emit(message ? 'message' : 'cancel'));
      await expect.poll(() => broker.readyCount(type, vhost.name)).toBe(1);
      expect(await broker.messageCount(type, vhost.name)).toBe(2);
      expect(await broker.consumerCount(type, vhost.name)).toBe(1);

      await broker.deleteQueue(type, vhost.name);

      await cancel;
      expect(await broker.messageCount(type, vhost.name)).toBeUndefined();
    }
  });
});

describe('a node that the test before has left in trouble', () => {
  const [broker] = useBrokers();

  it('is left dead', async () => {
    await broker.memoryAlarm(true);
    await broker.kill();
    expect(broker.alive).toBe(false);
  });

  it('runs again in the next test', async () => {
    await expect(dial(broker.url())).resolves.toBeDefined();
    await broker.pause();
  });

  it('also when it was paused', async () => {
    await expect(dial(broker.url())).resolves.toBeDefined();
  });
});

describe('a cluster', () => {
  const cluster = useCluster();

  it('has three running nodes, and two after a kill', async () => {
    expect(await cluster.runningCount()).toBe(3);

    await cluster.nodes[2]!.kill();

    expect(await cluster.runningCount()).toBe(2);
    await cluster.nodes[2]!.start();
    await cluster.complete();
    expect(await cluster.runningCount()).toBe(3);
  });

  it('moves the leader of a quorum queue when its node dies, and catches up when it is back', async () => {
    const vhost = await useVhost(cluster);
    const [home, ...others] = cluster.nodes;
    const connection = await dial(vhost.url(home!));
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue('orders', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    await putPersistent(channel, 'orders');
    const leader = await cluster.leaderOf('orders', vhost.name);
    expect(leader).toBe(home);

    await leader.kill();

    expect(others).toContain(await cluster.leaderOf('orders', vhost.name));
    expect(await cluster.running().isCaughtUp('orders', vhost.name)).toBe(false);
    expect(await cluster.running().messageCount('orders', vhost.name)).toBe(1);
    await leader.start();
    await cluster.caughtUp('orders', vhost.name);
  });
});

describe('a run', () => {
  it('ends its nodes and removes its folder when its process is SIGKILLed', async () => {
    const { child, folder, port } = await startInChild();
    expect(await accepts(port)).toBe(true);
    expect(processesWith(RUN_VARIABLE, folder).length).toBeGreaterThan(1);

    child.kill('SIGKILL');

    await until('the end of the run', () => !existsSync(folder), 10_000);
    expect(processesWith(RUN_VARIABLE, folder)).toEqual([]);
    expect(await accepts(port)).toBe(false);
  });

  it('has a broker of its own for a test that wants one', async () => {
    const broker = await startOwnBroker({ conf: ['channel_max = 7'] });
    expect(await broker.eval('application:get_env(rabbit, channel_max)')).toBe('{ok, 7}');
  });
});
