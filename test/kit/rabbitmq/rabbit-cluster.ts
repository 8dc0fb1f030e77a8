import type { UrlParts } from './erlang-node.js';
import type { RabbitNode } from './rabbit-node.js';
import { until } from './until.js';

/** Nodes that form one RabbitMQ cluster. */
export class RabbitCluster {
  constructor(readonly nodes: readonly RabbitNode[]) {}

  /** A node that runs, to ask about the cluster; give it a node to leave out. */
  running(except?: RabbitNode): RabbitNode {
    const node = this.nodes.find((one) => one !== except && one.state === 'running');
    if (node === undefined) throw new Error('no node of the cluster runs');
    return node;
  }

  node(name: string): RabbitNode {
    const node = this.nodes.find((one) => one.name === name);
    if (node === undefined) throw new Error(`${name} is no node of this cluster`);
    return node;
  }

  /** The URLs of all its nodes, in their order. */
  urls(parts?: UrlParts): string[] {
    return this.nodes.map((node) => node.url(parts));
  }

  /** How many nodes run the broker, as `seenBy` has it. Where a node hangs, this waits for Erlang's net tick. */
  async runningCount(seenBy: RabbitNode = this.running()): Promise<number> {
    return Number(
      await seenBy.eval('length([N || N <- [node() | nodes()], rabbit:is_running(N)])', 70_000),
    );
  }

  /** Where the leader of a queue is; waits for an election (deadline 30,000). */
  async leaderOf(queue: string, vhost?: string): Promise<RabbitNode> {
    let name: string | undefined;
    await until(
      `a leader of ${queue}`,
      async () => {
        name = await this.running().leaderNameOf(queue, vhost);
        return name !== undefined;
      },
      30_000,
    );
    return this.node(name ?? '');
  }

  /** Waits until every replica of a quorum queue is online and has all that the leader has (deadline 60,000). */
  async caughtUp(queue: string, vhost?: string): Promise<void> {
    await until(`all replicas of ${queue}`, () => this.running().isCaughtUp(queue, vhost), 60_000);
  }

  /**
   * Undoes every fault of every node and waits until all see each other. Nodes are started together, since one that was
   * not the last to stop waits for the others at boot; those that a long pause has parted are restarted.
   */
  async heal(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.heal()));
    const parted = await Promise.all(
      this.nodes.map(
        async (node) => (await node.eval('rabbit_node_monitor:partitions()')) !== '[]',
      ),
    );
    if (parted.includes(true)) await this.#rejoin();
    await this.complete();
  }

  /** Waits until every node sees every other one run (deadline 60,000). */
  async complete(): Promise<void> {
    const all = async (node: RabbitNode): Promise<boolean> =>
      (await this.runningCount(node)) === this.nodes.length;
    await until(
      'a complete cluster',
      async () => {
        const seen = await Promise.all(this.nodes.map((node) => all(node)));
        return !seen.includes(false);
      },
      60_000,
    );
  }

  /**
   * The first node decides: the others drop what they believed while they were apart. It restarts too, or it would
   * report the partition for ever; as the last to stop it is the one that boots without the others.
   */
  async #rejoin(): Promise<void> {
    const [first, ...others] = this.nodes;
    await Promise.all(others.map((node) => node.stop()));
    await first?.restart();
    await Promise.all(others.map((node) => node.start()));
  }
}
