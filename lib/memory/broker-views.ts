import type { BrokerNode } from './broker-node.js';
import type { QueueType } from './model/queue-arguments.js';
import type { Session } from './session/session.js';

/** A queue, as it is now. */
export interface QueueView {
  readonly name: string;
  /** False: there is no such queue, and all counts are 0. */
  readonly exists: boolean;
  /** Messages that wait for a consumer. */
  readonly ready: number;
  /** Messages that were delivered or got, and are not settled. */
  readonly unacked: number;
  /** Both together. */
  readonly messages: number;
  readonly consumers: number;
  readonly type: QueueType;
  readonly durable: boolean;
}

/** A connection to a broker. */
export interface ConnectionView {
  /** What the client calls it (`connection_name`), or else its address. */
  readonly name: string;
  readonly username: string;
  readonly vhost: string;
  readonly channels: number;
  /** It has published while publishers are blocked. */
  readonly blocked: boolean;
}

/** A consumer on a broker. */
export interface ConsumerView {
  readonly consumerTag: string;
  readonly queue: string;
  readonly vhost: string;
  readonly connection: string;
  readonly channel: number;
  /** 0: no limit. */
  readonly prefetch: number;
  readonly unacked: number;
}

export function queueView({ store }: BrokerNode, name: string, vhost: string): QueueView {
  const queue = store.vhosts.get(vhost)?.queues.get(name);
  const { ready = 0, unacked = 0 } = queue ?? {};
  return {
    name,
    exists: queue !== undefined,
    ready,
    unacked,
    messages: ready + unacked,
    consumers: queue?.consumers.size ?? 0,
    type: queue?.settings.type ?? 'classic',
    durable: queue?.declaration.durable ?? false,
  };
}

const open = ({ sessions }: BrokerNode): Session[] =>
  [...sessions].filter(({ phase }) => phase === 'open');

export const connectionViews = (node: BrokerNode): ConnectionView[] =>
  open(node).map(({ name, user, vhost, channels, isBlocked }) => ({
    name,
    username: user?.username ?? '',
    vhost: vhost?.name ?? '',
    channels: channels.size,
    blocked: isBlocked,
  }));

export const consumerViews = (node: BrokerNode): ConsumerView[] =>
  open(node).flatMap((session) =>
    [...session.channels].flatMap(({ channel, number }) =>
      [...(channel?.consumers.values() ?? [])].map(({ tag, queue, prefetch, unacked }) => ({
        consumerTag: tag,
        queue: queue.name,
        vhost: session.vhost?.name ?? '',
        connection: session.name,
        channel: number,
        prefetch,
        unacked,
      })),
    ),
  );

/** How it stands, in a sentence. */
export function describeNode(node: BrokerNode): string {
  const queues = [...node.store.vhosts.values()].flatMap((vhost) =>
    [...vhost.queues.values()].map(
      ({ name, ready, unacked, consumers }) =>
        `${name}: ${ready} ready, ${unacked} unacked, ${consumers.size} consumers`,
    ),
  );
  const { length } = open(node);
  return `${node.name} is ${node.state}, has ${length} connections and the queues [${queues.join('; ')}].`;
}
