import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ensureRabbitMQ } from './ensure-rabbitmq.js';
import { Guard } from './guard.js';
import { runEnvironment, writeNodeFolder } from './node-spec.js';
import type { NodeSpec, RunSpec } from './node-spec.js';
import { fewPlugins } from './plugins.js';
import { accepts, freePorts } from './ports.js';
import { RabbitCluster } from './rabbit-cluster.js';
import { RabbitNode } from './rabbit-node.js';
import { until } from './until.js';

/** How nodes differ from the default. */
export interface NodeOptions {
  /** Erlang's net tick in seconds (default 60): how long a hung node counts as a member of its cluster. */
  readonly netTickTime?: number;
  /** More lines for rabbitmq.conf. */
  readonly conf?: readonly string[];
}

/**
 * Real nodes of one run: its folder, its Erlang cookie and its epmd. All of it ends with `end()`, and also when this
 * process ends in any other way.
 */
export class RabbitRun {
  readonly #guard: Guard;

  private constructor(
    readonly spec: RunSpec,
    guard: Guard,
  ) {
    this.#guard = guard;
  }

  /**
   * Finds or installs RabbitMQ and begins a run without nodes.
   *
   * @throws Error that says what to install, see ensureRabbitMQ.
   */
  static async begin(log: (line: string) => void = () => {}): Promise<RabbitRun> {
    const tools = await ensureRabbitMQ(log);
    const [epmdPort = 0] = await freePorts(1);
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'nestjs-failover-')));
    const guard = new Guard(folder);
    const plugins = fewPlugins(tools.server, folder);
    const run = new RabbitRun({ tools, folder, epmdPort, plugins }, guard);
    const cookie = randomBytes(20).toString('hex');
    writeFileSync(join(folder, '.erlang.cookie'), cookie, { mode: 0o400 });
    const epmd = spawn(tools.epmd, ['-address', '127.0.0.1', '-port', String(epmdPort)], {
      cwd: folder,
      detached: true,
      env: runEnvironment(run.spec),
      stdio: 'ignore',
    });
    epmd.unref();
    await until('epmd to accept', () => accepts(epmdPort), 10_000);
    return run;
  }

  /** A broker of its own. */
  async startBroker(options?: NodeOptions): Promise<RabbitNode> {
    const [broker] = await this.#nodes(1, options);
    if (broker === undefined) throw new Error('there is no node to start');
    await broker.start();
    return broker;
  }

  /** A cluster of `size` nodes, which are started together. */
  async startCluster(size: number, options?: NodeOptions): Promise<RabbitCluster> {
    const cluster = new RabbitCluster(await this.#nodes(size, options));
    await Promise.all(cluster.nodes.map((node) => node.start()));
    await cluster.complete();
    return cluster;
  }

  /** Ends all nodes and epmd, and removes the folder. Idempotent. */
  end(): Promise<void> {
    return this.#guard.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  async #nodes(size: number, { conf = [], ...options }: NodeOptions = {}): Promise<RabbitNode[]> {
    const ports = await freePorts(2 * size);
    const specs: NodeSpec[] = [];
    for (const [index, port] of ports.slice(0, size).entries()) {
      const folder = join(this.spec.folder, `rmq${port}`);
      const distPort = ports[size + index] ?? 0;
      specs.push({
        run: this.spec,
        name: `rmq${port}@localhost`,
        port,
        distPort,
        folder,
        ...options,
      });
    }
    const names = specs.map((spec) => spec.name);
    for (const spec of specs) writeNodeFolder(spec, names, conf);
    return specs.map((spec) => new RabbitNode(spec));
  }
}
