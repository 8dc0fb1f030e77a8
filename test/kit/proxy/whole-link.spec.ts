import { describe, expect, it, onTestFinished } from 'vitest';
import { HEARTBEAT, openOk, PROTOCOL_HEADER, publish } from './hand-built-frames.js';
import { connected, proxied } from './proxied.js';
import { startProxy } from './proxy.js';
import { dial, dialling } from './tcp-peer.js';
import { socketClosed } from '../socket-closed.js';

describe('a fault of the whole link', () => {
  it.each(['rst', 'fin'] as const)(
    'cuts every connection by %s and accepts new ones',
    async (kind) => {
      const { server, proxy, client, broker } = await connected();
      proxy.cut(kind);
      expect(proxy.connections).toBe(0);
      await Promise.all([client.closes(), broker.closes()]);
      expect(client.error).toBe(kind === 'rst' ? 'ECONNRESET' : undefined);
      await dial(proxy.port);
      await server.connection(2);
      expect([proxy.dials, proxy.connections]).toEqual([2, 1]);
    },
  );

  it('holds frames and ends, of later connections too, until released', async () => {
    const { server, proxy, client, broker } = await connected();
    proxy.hold('broker');
    broker.socket.end(HEARTBEAT);
    await proxy.arrived({ direction: 'broker' });
    await dial(proxy.port);
    (await server.connection(2)).send(HEARTBEAT);
    await proxy.arrived({ direction: 'broker', connection: 2 });
    client.send(HEARTBEAT);
    await broker.receives(HEARTBEAT);
    expect([client.received.length, client.ended, proxy.count({ direction: 'broker' })]).toEqual([
      0,
      false,
      0,
    ]);
    proxy.release();
    await client.until((peer) => peer.ended);
    expect(client.received).toEqual(HEARTBEAT);
    await proxy.seen({ direction: 'broker', connection: 2 });
  });

  it('stops reading from a sender whose held bytes exceed the buffer, and loses none', async () => {
    const { proxy, client, broker } = await connected({ buffer: 1024 });
    proxy.hold('client');
    const message = publish(1, 'k', Buffer.alloc(24 * 1024 * 1024), 131_064);
    client.send(message);
    await proxy.arrived({ method: 'body' });
    // Each round trip gives the proxy another chance to read more than it should.
    for (let rounds = 1; rounds <= 200; rounds++) {
      broker.send(HEARTBEAT);
      await proxy.seen({ method: 'heartbeat', nth: rounds });
    }
    const bodies = proxy.arrivals.filter((one) => one.method === 'body');
    expect(bodies.length).toBeLessThan(4);
    proxy.release();
    await broker.receives(message);
    expect(broker.received.equals(message)).toBe(true);
  });

  it('refuses and listens again on the same port; what is up stays up', async () => {
    const { server, proxy, client, broker } = await connected();
    proxy.refuse();
    await expect(dial(proxy.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    client.send(HEARTBEAT);
    await broker.receives(HEARTBEAT);
    await proxy.listen();
    await dial(proxy.port);
    await server.connection(2);
  });

  it('resets the client when the target itself refuses', async () => {
    const proxy = await startProxy({ target: { port: 1 } });
    onTestFinished(async () => proxy.close());
    const client = dialling(proxy.port);
    await client.closes();
    expect(client.error).toBe('ECONNRESET');
  });

  it('slows a direction to so many bytes a second', async () => {
    const { proxy, client, broker } = await connected();
    proxy.slow({ bytesPerSecond: 2_000, direction: 'client' });
    const start = performance.now();
    client.send(publish(1, 'k', Buffer.alloc(400)));
    await proxy.seen({ method: 'body' });
    expect(performance.now() - start).toBeGreaterThan(180);
    proxy.fullSpeed();
    broker.send(HEARTBEAT);
    await client.receives(HEARTBEAT);
  });

  it('drips what the broker says', async () => {
    const { proxy, client, broker } = await connected();
    const sizes: number[] = [];
    client.socket.on('data', (chunk: Buffer) => sizes.push(chunk.length));
    proxy.drip(2, 5);
    broker.send(HEARTBEAT);
    await client.receives(HEARTBEAT);
    expect(sizes).toEqual([2, 2, 2, 2]);
  });

  it('plays mute: accepts, never answers, does not dial', async () => {
    const { server, proxy } = await proxied();
    proxy.mute();
    const client = await dial(proxy.port);
    client.send(PROTOCOL_HEADER);
    proxy.forward();
    await dial(proxy.port);
    await server.connection(1);
    expect([server.accepted.length, client.received.length, proxy.connections]).toEqual([1, 0, 2]);
    proxy.cut('rst');
    await client.closes();
  });

  it('accepts and drops at once, without a dial', async () => {
    const { server, proxy } = await proxied();
    proxy.acceptAndDrop('at-once', 'rst');
    const client = dialling(proxy.port);
    await client.closes();
    expect([client.error, proxy.dials, server.accepted.length]).toEqual(['ECONNRESET', 1, 0]);
  });

  it('accepts and drops each connection right after its open-ok', async () => {
    const { server, proxy } = await proxied();
    proxy.acceptAndDrop('after-open-ok');
    for (const nth of [1, 2]) {
      const client = await dial(proxy.port);
      const broker = await server.connection(nth);
      broker.send(HEARTBEAT, openOk(), HEARTBEAT);
      await client.until((peer) => peer.ended);
      expect(client.received).toEqual(Buffer.concat([HEARTBEAT, openOk()]));
    }
  });

  it('leaves nothing behind after `await using`', async () => {
    const { server, proxy } = await proxied();
    let port: number;
    {
      await using scoped = await startProxy({ target: { port: proxy.port } });
      port = scoped.port;
      const client = await dial(port);
      await server.connection();
      void socketClosed(client.socket);
    }
    await expect(dial(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
