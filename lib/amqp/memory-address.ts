import type { Broker } from './broker.js';
import type { NetworkAddress } from './dial-options.js';

/**
 * Where a broker of this process listens. It is started if there is none of that name, and gets the virtual host if it has
 * none of that name. Loaded on first use: an app without `memory://` never loads a broker.
 */
export async function memoryAddress({ hostname, vhost }: Broker): Promise<NetworkAddress> {
  const { MemoryBroker } = await import('../memory/memory-broker.js');
  const broker = await MemoryBroker.named(hostname);
  broker.addVhost(vhost);
  return { protocol: 'amqp', hostname: '127.0.0.1', port: broker.port };
}
