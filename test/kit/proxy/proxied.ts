import { onTestFinished } from 'vitest';
import type { ProxyOptions } from './proxy-options.js';
import { startProxy } from './proxy.js';
import { dial, TcpServer } from './tcp-peer.js';

export async function proxied(options: Partial<ProxyOptions> = {}) {
  const server = new TcpServer();
  const proxy = await startProxy({ target: { port: await server.listen() }, ...options });
  onTestFinished(async () => proxy.close());
  return { server, proxy };
}

export async function connected(options?: Partial<ProxyOptions>) {
  const { server, proxy } = await proxied(options);
  const client = await dial(proxy.port);
  const broker = await server.connection();
  return { server, proxy, client, broker };
}
