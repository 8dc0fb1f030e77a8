import { onTestFinished } from 'vitest';
import type {
  ConnectionEvent,
  ConnectionEvents,
  ConnectionSeams,
  FailoverConnectionOptions,
} from '../../lib/index.js';
import { FailoverConnection } from '../../lib/index.js';
import type { Vhost } from './brokers.js';
import type { AmqpProxy } from './proxy/index.js';
import { startProxy } from './proxy/index.js';
import type { RabbitNode } from './rabbitmq/index.js';

/** A proxy in front of a node, and the URL of a virtual host through it. */
export interface Front {
  readonly proxy: AmqpProxy;
  readonly url: string;
}

/** A proxy in front of a node; it ends with the test. */
export async function useFront(node: RabbitNode, vhost: Vhost): Promise<Front> {
  const proxy = await startProxy({ target: { port: node.port } });
  onTestFinished(() => proxy.close());
  return { proxy, url: proxy.url(vhost.url(node)) };
}

/** Two proxies, one in front of each broker. */
export async function useFronts(
  nodes: readonly [RabbitNode, RabbitNode],
  vhost: Vhost,
): Promise<[Front, Front]> {
  return [await useFront(nodes[0], vhost), await useFront(nodes[1], vhost)];
}

/** A silent connection that is closed with the test, unless it says otherwise with short waits. */
export function useConnection(
  options: FailoverConnectionOptions,
  seams?: ConnectionSeams,
): FailoverConnection {
  const short = { intervalStart: 50, intervalStep: 50, intervalMax: 200 };
  const connection = new FailoverConnection({ logger: false, ...short, ...options }, seams);
  onTestFinished(() => connection.close());
  return connection;
}

/** Everything the connection tells from now on, in order. */
export function recorded(connection: FailoverConnection): ConnectionEvent[] {
  const events: ConnectionEvent[] = [];
  const subscription = connection.events.subscribe((event) => events.push(event));
  onTestFinished(() => subscription.unsubscribe());
  return events;
}

/** Events in short: `connecting 12345`, by the port of the broker. */
export const told = (events: readonly ConnectionEvent[]): string[] =>
  events.map((event) =>
    'broker' in event ? `${event.type} ${new URL(event.broker).port}` : event.type,
  );

/** The next event of a type. */
export const next = <T extends keyof ConnectionEvents>(
  connection: FailoverConnection,
  type: T,
): Promise<ConnectionEvents[T]> =>
  new Promise((resolve) => {
    const stop = connection.on(type, (event) => {
      stop();
      resolve(event);
    });
  });
