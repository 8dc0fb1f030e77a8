import { describe, expect, it } from 'vitest';
import { ack, deliver, HEARTBEAT, PROTOCOL_HEADER, publish } from './proxy/hand-built-frames.js';
import { connected } from './proxy/proxied.js';
import { dial } from './proxy/tcp-peer.js';

describe('carrying', () => {
  it('passes both directions unchanged, whatever the chunks, and records each frame', async () => {
    const { proxy, client, broker } = await connected();
    const said = Buffer.concat([PROTOCOL_HEADER, publish(1, 'k'), HEARTBEAT]);
    for (const byte of said) client.socket.write(Buffer.from([byte]));
    broker.send(deliver(1, 1), ack(1, 1));
    await Promise.all([broker.receives(said), proxy.seen({ direction: 'broker', nth: 2 })]);
    expect(broker.received).toEqual(said);
    const names = proxy.frames.filter((one) => one.direction === 'client').map((one) => one.method);
    expect(names).toEqual(['protocol-header', 'basic.publish', 'header', 'body', 'heartbeat']);
    await client.receives(Buffer.concat([deliver(1, 1), ack(1, 1)]));
    expect(proxy.frames.find((one) => one.direction === 'broker')).toMatchObject({
      connection: 1,
      channel: 1,
      method: 'basic.deliver',
      fields: { deliveryTag: 1 },
    });
  });

  it('carries a body of 20 MiB in one frame after the other', async () => {
    const { proxy, client, broker } = await connected();
    const message = publish(1, 'big', Buffer.alloc(20 * 1024 * 1024, 3), 131_064);
    client.send(message);
    await broker.receives(message);
    expect(broker.received.equals(message)).toBe(true);
    expect(proxy.count({ method: 'body' })).toBe(Math.ceil((20 * 1024 * 1024) / 131_064));
  });

  it('passes a FIN on and lets the other side finish its sentence', async () => {
    const { proxy, client, broker } = await connected();
    client.socket.end(HEARTBEAT.subarray(0, 3));
    await broker.until((peer) => peer.ended);
    expect(broker.received).toEqual(HEARTBEAT.subarray(0, 3));
    await client.closes();
    expect(proxy.connections).toBe(0);
  });

  it('passes a RST on', async () => {
    const { client, broker } = await connected();
    broker.socket.resetAndDestroy();
    await client.closes();
    expect(client.error).toBe('ECONNRESET');
  });

  it('counts dials and live connections, and closes all', async () => {
    const { server, proxy, client } = await connected();
    const second = await dial(proxy.port);
    await server.connection(2);
    expect([proxy.dials, proxy.connections]).toEqual([2, 2]);
    expect(proxy.url('amqp://u:p@rabbit:5672/vh?heartbeat=5')).toBe(
      `amqp://u:p@127.0.0.1:${proxy.port}/vh?heartbeat=5`,
    );
    await proxy.close();
    await Promise.all([client.closes(), second.closes()]);
    expect(proxy.connections).toBe(0);
  });

  it('tells who waits in vain, with the last frames', async () => {
    const { proxy, client } = await connected();
    client.send(HEARTBEAT);
    await proxy.seen({ method: 'heartbeat' });
    await expect(proxy.seen({ method: 'basic.ack' }, 1)).rejects.toThrow(
      /basic.ack.*1:client:heartbeat/,
    );
    const waiting = proxy.seen({ method: 'basic.ack' });
    const fault = proxy.once({ method: 'basic.ack' }, 'drop');
    await proxy.close();
    await expect(waiting).rejects.toThrow(/before the proxy was closed/);
    await expect(fault.happened).rejects.toThrow(/had not happened/);
  });

  it('forgets the oldest frames beyond its limit and says so', async () => {
    const { proxy, client } = await connected({ recordLimit: 8 });
    client.send(...Array.from({ length: 30 }, () => HEARTBEAT), ack(1, 1));
    await proxy.seen({ method: 'basic.ack' });
    expect(proxy.frames.length + proxy.forgotten).toBe(31);
    expect(proxy.frames.length).toBeLessThanOrEqual(10);
  });
});

describe('a fault at one frame', () => {
  const three = ['a', 'b', 'c'].map((key) => publish(1, key));
  const [a, b, c] = three as [Buffer, Buffer, Buffer];

  it.each([
    ['cut-rst', 'ECONNRESET', [a]],
    ['cut-fin', undefined, [a]],
    ['cut-after-rst', 'ECONNRESET', [a, b]],
    ['cut-after-fin', undefined, [a, b]],
  ] as const)(
    '%s: what passed before arrives in full, nothing after it',
    async (verb, code, rest) => {
      for (let run = 0; run < 20; run++) {
        const { proxy, client, broker } = await connected();
        const fault = proxy.once({ direction: 'client', method: 'basic.publish', nth: 2 }, verb);
        client.send(...three);
        expect(await fault.happened).toMatchObject({ fields: { routingKey: 'b' } });
        expect(proxy.connections).toBe(0);
        if (verb.endsWith('fin')) await client.until((peer) => peer.ended);
        await Promise.all([client.closes(), broker.closes()]);
        expect(client.error).toBe(code);
        expect(broker.received).toEqual(Buffer.concat(rest));
        await proxy.close();
      }
    },
  );

  it('cuts after a big message that the broker still gets in full', async () => {
    const { proxy, client, broker } = await connected();
    const message = publish(1, 'big', Buffer.alloc(16 * 1024 * 1024, 3), 131_064);
    const fault = proxy.once({ method: 'basic.publish' }, 'cut-after-rst');
    client.send(message, a);
    await Promise.all([fault.happened, client.closes(), broker.closes()]);
    expect(client.error).toBe('ECONNRESET');
    expect(broker.received.equals(message)).toBe(true);
  });

  it('cuts after an ack of the broker that the client still gets', async () => {
    const { proxy, client, broker } = await connected();
    const fault = proxy.once({ direction: 'broker', method: 'basic.ack' }, 'cut-after-rst');
    broker.send(ack(1, 1), ack(1, 2));
    await fault.happened;
    await client.closes();
    expect(client.received).toEqual(ack(1, 1));
  });

  it('drops a publish with its content, and nothing of other channels between', async () => {
    const { proxy, client, broker } = await connected();
    const fault = proxy.once({ method: 'basic.publish' }, 'drop');
    const other = ack(2, 1);
    const cut = a.length - 13;
    client.send(a.subarray(0, cut), other, a.subarray(cut), b);
    await fault.happened;
    await broker.receives(Buffer.concat([other, b]));
    expect(broker.received).toEqual(Buffer.concat([other, b]));
    expect(proxy.count({ method: 'basic.publish' })).toBe(1);
    expect(proxy.arrivals.filter((one) => one.method === 'basic.publish')).toHaveLength(2);
  });

  it('holds its direction from that frame on until released, in order; the other direction flows', async () => {
    const { proxy, client, broker } = await connected();
    const fault = proxy.once({ method: 'basic.publish', nth: 2 }, 'hold');
    client.send(...three);
    await fault.happened;
    await proxy.arrived({ method: 'basic.publish', nth: 3 });
    broker.send(HEARTBEAT);
    await client.receives(HEARTBEAT);
    expect(broker.received).toEqual(a);
    fault.release();
    await broker.receives(Buffer.concat(three));
    expect(broker.received).toEqual(Buffer.concat(three));
  });

  it('runs a function that may inject, wait and decide', async () => {
    const { proxy, client, broker } = await connected();
    const fault = proxy.once({ method: 'basic.publish' }, async (_, link) => {
      link.inject('broker', ack(1, 1));
      await proxy.seen({ direction: 'broker', method: 'heartbeat' });
      link.inject('client', link.bytes.subarray(0, 5));
      return 'cut-fin';
    });
    client.send(a);
    await client.receives(ack(1, 1));
    expect(broker.received).toHaveLength(0);
    broker.send(HEARTBEAT);
    await fault.happened;
    await broker.until((peer) => peer.ended);
    expect(broker.received).toEqual(a.subarray(0, 5));
  });

  it('rejects and cuts when the function throws', async () => {
    const { proxy, client } = await connected();
    const fault = proxy.once(
      () => true,
      async () => {
        throw new Error('mine');
      },
    );
    client.send(HEARTBEAT);
    await expect(fault.happened).rejects.toThrow('mine');
    await client.closes();
  });

  it('serves several in order, each once, and forgets a disarmed one', async () => {
    const { proxy, client, broker } = await connected();
    proxy.once({ method: 'basic.publish' }, 'hold').disarm();
    const first = proxy.once({ method: 'basic.publish', connection: 1 }, 'drop');
    const second = proxy.once({ method: 'basic.publish' }, 'drop');
    proxy.once({ method: 'basic.publish', connection: 2 }, 'cut-rst');
    client.send(...three);
    expect((await first.happened).fields.routingKey).toBe('a');
    expect((await second.happened).fields.routingKey).toBe('b');
    await broker.receives(c);
    expect(broker.received).toEqual(c);
  });
});
