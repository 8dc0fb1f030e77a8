import type { FailoverConnection, Queue } from 'nestjs-failover';
import type { RabbitCluster, RabbitNode } from '../kit/rabbitmq/index.js';

/** The node a connection is on. */
export function nodeOf(nodes: readonly RabbitNode[], connection: FailoverConnection): RabbitNode {
  const port = new URL(connection.asUri()).port;
  const node = nodes.find((one) => String(one.port) === port);
  if (node === undefined) throw new Error(`${connection.asUri()} is on none of the nodes`);
  return node;
}

/** Makes a node the leader of a quorum queue whose replicas have all caught up. */
export async function lead(
  cluster: RabbitCluster,
  queue: Queue,
  vhost: string,
  node: RabbitNode,
): Promise<void> {
  for (let turn = 0; (await cluster.leaderOf(queue.name, vhost)) !== node; turn += 1) {
    if (turn === 20) throw new Error(`${node.name} does not become leader of ${queue.name}`);
    const leader = await cluster.leaderOf(queue.name, vhost);
    const name = `rabbit_misc:r(<<"${vhost}">>, queue, <<"${queue.name}">>)`;
    await leader.eval(
      `{ok, Q} = rabbit_amqqueue:lookup(${name}), {Name, _} = amqqueue:get_pid(Q), ` +
        `ra:transfer_leadership({Name, node()}, {Name, '${node.name}'})`,
    );
  }
}
