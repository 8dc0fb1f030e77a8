import { once } from 'node:events';
import { connect as dial } from 'node:net';
import { connect } from 'amqplib';
import type { ChannelModel, ConfirmChannel, ConsumeMessage, GetMessage } from 'amqplib';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { MemoryBrokerOptions } from 'nestjs-failover/testing';
import { MemoryBroker } from 'nestjs-failover/testing';

async function useBroker(options?: MemoryBrokerOptions): Promise<MemoryBroker> {
  const broker = await MemoryBroker.start(options);
  onTestFinished(() => broker.close());
  return broker;
}

interface Client {
  readonly model: ChannelModel;
  readonly channel: ConfirmChannel;
  /** How the connection ended. */
  readonly ended: Promise<string>;
}

async function useClient(broker: MemoryBroker, query = ''): Promise<Client> {
  const model = await connect(`${broker.url()}${query}`);
  model.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => {
    model.on('close', (error?: Error) => resolve(error?.message ?? 'closed'));
  });
  const channel = await model.createConfirmChannel();
  channel.on('error', () => undefined);
  onTestFinished(async () => {
    await model.close().catch(() => undefined);
  });
  return { model, channel, ended };
}

const dialled = (broker: MemoryBroker): Promise<string> =>
  connect(broker.url()).then(
    (model) => model.close().then(() => 'connected'),
    (error: Error & { code?: string }) => error.code ?? error.message,
  );

/** A client that was let in by the system, and waits for a word of the broker. */
async function useSilentDial({ port }: MemoryBroker): Promise<{ heard: number }> {
  const told = { heard: 0 };
  const socket = dial({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  socket.on('data', ({ length }: Buffer) => {
    told.heard += length;
  });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(Buffer.from('AMQP\0\0\x09\x01', 'latin1'));
  return told;
}

const send = async ({ channel }: Client, queue: string, body: string, persistent = true) => {
  channel.sendToQueue(queue, Buffer.from(body), { persistent });
  await channel.waitForConfirms();
};

async function taken({ channel }: Client, queue: string): Promise<GetMessage> {
  const message = await channel.get(queue);
  if (message === false) throw new Error(`${queue} is empty`);
  return message;
}

describe('a memory broker', () => {
  it('that is killed resets its connections and refuses new ones; what is durable is there again on the same port', async () => {
    const broker = await useBroker();
    const client = await useClient(broker);
    const { channel } = client;
    await channel.assertExchange('fleeting', 'fanout', { durable: false });
    await channel.assertQueue('durable');
    await channel.assertQueue('transient', { durable: false });
    await send(client, 'durable', 'kept');
    await send(client, 'durable', 'lost', false);
    await channel.consume('durable', () => undefined);
    await broker.until(() => broker.queue('durable').unacked === 2);
    const { port } = broker;

    broker.kill();

    expect(await client.ended).toContain('ECONNRESET');
    expect(await dialled(broker)).toBe('ECONNREFUSED');
    await broker.restart();
    expect(broker.port).toBe(port);
    const again = await useClient(broker);
    const message = await taken(again, 'durable');
    expect([message.content.toString(), message.fields.redelivered]).toEqual(['kept', true]);
    expect(broker.queue('durable')).toMatchObject({ ready: 0, unacked: 1, consumers: 0 });
    expect(broker.queue('transient').exists).toBe(false);
    await expect(again.channel.checkExchange('fleeting')).rejects.toMatchObject({ code: 404 });
  });

  it('that is stopped says so to each client', async () => {
    const broker = await useBroker();
    const { ended } = await useClient(broker);
    broker.stop();
    expect(await ended).toContain('CONNECTION_FORCED');
    expect(await dialled(broker)).toBe('ECONNREFUSED');
  });

  it('that hangs answers nobody, and goes on with all that has come meanwhile', async () => {
    const broker = await useBroker();
    const client = await useClient(broker);
    await client.channel.assertQueue('q');
    broker.pause();
    let confirmed = false;
    client.channel.sendToQueue('q', Buffer.from('meanwhile'));
    const confirming = client.channel.waitForConfirms().then(() => (confirmed = true));
    const silent = await useSilentDial(broker);
    expect([confirmed, broker.queue('q').ready]).toEqual([false, 0]);
    expect(silent.heard).toBe(0);
    await broker.resume();
    await confirming;
    await broker.until(() => silent.heard > 0);
    expect(broker.queue('q').ready).toBe(1);
  });

  it('that hangs is noticed by heartbeats', async () => {
    const broker = await useBroker();
    const { ended } = await useClient(broker, '?heartbeat=1');
    broker.pause();
    expect(await ended).toContain('Heartbeat');
  });

  it('notices a client that has fallen silent', async () => {
    const broker = await useBroker();
    const { model, ended } = await useClient(broker, '?heartbeat=1');
    // The heartbeats that amqplib would send.
    const { heartbeater } = model.connection as unknown as { heartbeater: { clear(): void } };
    heartbeater.clear();
    expect(await ended).not.toBe('');
    await broker.until(() => broker.connections.length === 0);
    expect(broker.connections).toEqual([]);
  });

  it('that refuses keeps its connections, and takes new ones when it accepts again', async () => {
    const broker = await useBroker();
    const client = await useClient(broker);
    broker.refuse();
    expect(await dialled(broker)).toBe('ECONNREFUSED');
    await client.channel.assertQueue('q');
    await broker.accept();
    expect(await dialled(broker)).toBe('connected');
  });

  it('that refused before it hung refuses when it goes on', async () => {
    const broker = await useBroker();
    const client = await useClient(broker);
    broker.refuse();
    broker.pause();
    await broker.resume();
    expect(broker.state).toBe('refusing');
    expect(await dialled(broker)).toBe('ECONNREFUSED');
    await client.channel.assertQueue('still-here');
    await broker.accept();
    expect(await dialled(broker)).toBe('connected');
  });

  it('whose port somebody else has taken stays down, and comes back when it is free', async () => {
    const broker = await useBroker();
    broker.kill();
    const other = await useBroker({ port: broker.port });
    await expect(broker.restart()).rejects.toThrow('EADDRINUSE');
    expect(broker.state).toBe('down');
    await other.close();
    await broker.restart();
    expect(await dialled(broker)).toBe('connected');
  });

  it('closes connections with any code', async () => {
    const broker = await useBroker();
    const { ended } = await useClient(broker);
    broker.closeConnections(541, 'something broke');
    expect(await ended).toContain('INTERNAL_ERROR - something broke');
  });

  it('that blocks tells a publisher when it publishes, takes nothing more from it, and lets consumers ack', async () => {
    const broker = await useBroker();
    const [publisher, consumer] = [await useClient(broker), await useClient(broker)];
    await publisher.channel.assertQueue('q');
    await send(publisher, 'q', 'before');
    const heard: string[] = [];
    publisher.model.on('blocked', (reason) => heard.push(`blocked: ${reason}`));
    publisher.model.on('unblocked', () => heard.push('unblocked'));
    broker.block('low on memory');
    expect(heard).toEqual([]);
    publisher.channel.sendToQueue('q', Buffer.from('during'));
    publisher.channel.sendToQueue('q', Buffer.from('during'));
    await broker.until(() => heard.length === 1);
    expect(broker.connections.map(({ blocked }) => blocked)).toEqual([true, false]);
    const message = await consumer.channel.get('q');
    if (message !== false) consumer.channel.ack(message);
    await broker.until(() => broker.queue('q').messages === 0);
    broker.unblock();
    await publisher.channel.waitForConfirms();
    expect(heard).toEqual(['blocked: low on memory', 'unblocked']);
    expect(broker.queue('q').ready).toBe(2);
  });

  it('cancels the consumers of a queue', async () => {
    const broker = await useBroker();
    const { channel } = await useClient(broker);
    await channel.assertQueue('q');
    const got: (ConsumeMessage | null)[] = [];
    await channel.consume('q', (message) => got.push(message));
    expect(broker.consumers).toMatchObject([{ queue: 'q', vhost: '/', channel: 1, prefetch: 0 }]);
    expect(broker.cancelConsumers('q')).toBe(1);
    await broker.until(() => got.length === 1);
    expect([got, broker.queue('q').consumers]).toEqual([[null], 0]);
  });

  it('is found by its name until it is closed, and has it alone', async () => {
    const broker = await useBroker({ name: 'one' });
    expect(await MemoryBroker.named('one')).toBe(broker);
    await expect(MemoryBroker.start({ name: 'one' })).rejects.toThrow('already');
    await broker.close();
    const other = await MemoryBroker.named('one');
    onTestFinished(() => other.close());
    expect(other).not.toBe(broker);
    expect(await Promise.all([MemoryBroker.named('two'), MemoryBroker.named('two')])).toEqual([
      await MemoryBroker.named('two'),
      await MemoryBroker.named('two'),
    ]);
    await (await MemoryBroker.named('two')).close();
  });

  it('says what did not come true, and how it stands', async () => {
    const broker = await useBroker({ name: 'waiting' });
    await (await useClient(broker)).channel.assertQueue('q');
    await expect(
      broker.until(() => broker.queue('q').ready === 1, { timeout: 50 }),
    ).rejects.toThrow(
      /Not true after 50 ms: .*ready === 1.*waiting is running, has 1 connections and the queues \[q: 0 ready, 0 unacked, 0 consumers\]/su,
    );
  });

  it.each<[string, object, string]>([
    ['a name', { name: 'Not A Name' }, 'name'],
    ['a port', { port: 0 }, 'port'],
    ['users', { users: [{ username: 'u' }] }, 'users'],
    ['virtual hosts', { vhosts: '/' }, 'vhosts'],
    ['a heartbeat in seconds', { heartbeat: 5 }, 'heartbeat'],
    ['a frame size', { frameMax: 100 }, 'frameMax'],
    ['what there is not', { colour: 'red' }, 'colour'],
  ])('refuses %s by its name', async (_what, options, name) => {
    await expect(MemoryBroker.start(options)).rejects.toThrow(name);
  });

  it('lets in who it knows, where they may go', async () => {
    const broker = await useBroker({
      vhosts: ['/', 'mine', 'yours'],
      users: [{ username: 'me', password: 'p@ss', vhosts: ['mine'] }],
    });
    await (await connect(broker.url('mine'))).close();
    await expect(connect(broker.url('yours'))).rejects.toThrow('ConnectionClose');
    await expect(connect(`amqp://guest:guest@127.0.0.1:${broker.port}/`)).rejects.toThrow('403');
    broker.addUser({ username: 'guest', password: 'guest' });
    broker.addVhost('new');
    await (await connect(`amqp://guest:guest@127.0.0.1:${broker.port}/new`)).close();
  });
});

describe('a cluster of memory brokers', () => {
  it('has its quorum queues on every node, and its classic ones on that which declared them', async () => {
    const cluster = await MemoryBroker.cluster(3);
    onTestFinished(() => cluster.close());
    const [first, second] = cluster.nodes as [MemoryBroker, MemoryBroker];
    const client = await useClient(first);
    await client.channel.assertQueue('quorum', { arguments: { 'x-queue-type': 'quorum' } });
    await client.channel.assertQueue('classic');
    await send(client, 'quorum', 'kept');
    await send(client, 'classic', 'waits');
    const other = await useClient(second);
    await other.channel.assertQueue('elsewhere');
    first.kill();
    const message = await taken(other, 'quorum');
    expect(message.content.toString()).toBe('kept');
    expect(second.queue('classic').ready).toBe(1);
    const refused = (await useClient(second)).channel.checkQueue('classic');
    await expect(refused).rejects.toThrow(
      `NOT_FOUND - home node '${first.name}' of durable queue 'classic' in vhost '/' is down or inaccessible`,
    );
    await first.restart();
    const back = await taken(other, 'classic');
    expect(back.content.toString()).toBe('waits');
  });

  it('gives to others what the consumers of a dead node had', async () => {
    const cluster = await MemoryBroker.cluster(['a-1', 'a-2']);
    onTestFinished(() => cluster.close());
    const [first, second] = cluster.nodes as [MemoryBroker, MemoryBroker];
    const [one, two] = [await useClient(first), await useClient(second)];
    await one.channel.assertQueue('q', { arguments: { 'x-queue-type': 'quorum' } });
    await send(one, 'q', 'x');
    await one.channel.consume('q', () => undefined);
    await cluster.until(() => second.queue('q').unacked === 1);
    first.kill();
    const got: ConsumeMessage[] = [];
    await two.channel.consume('q', (message) => message && got.push(message));
    await cluster.until(() => got.length === 1);
    expect(got[0]).toMatchObject({
      fields: { redelivered: true },
      properties: { headers: { 'x-delivery-count': 1 } },
    });
    expect(cluster.url()).toBe(`${first.url()};${second.url()}`);
  });
});
