import type { TestProject } from 'vitest/node';

import { RabbitRun } from './rabbitmq/index.js';
import type { NodeSpec } from './rabbitmq/index.js';

/** The real nodes of a test run, as plain data for the workers. */
export interface RealNodes {
  readonly cluster: readonly NodeSpec[];
  readonly brokers: readonly NodeSpec[];
}

declare module 'vitest' {
  interface ProvidedContext {
    rabbitmq: RealNodes;
  }
}

/** What all projects of one vitest process share: vitest loads this file once for each of them. */
interface SharedRun {
  users: number;
  readonly begun: Promise<{ readonly run: RabbitRun; readonly nodes: RealNodes }>;
}

const SHARED = Symbol.for('nestjs-failover.test.rabbitmq');
const shared = globalThis as { [SHARED]?: SharedRun | undefined };

/**
 * Starts one cluster of three and two independent brokers, once for a run however many projects use them; vitest calls
 * it only if a file of such a project is part of the run.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const use = (shared[SHARED] ??= { users: 0, begun: begin() });
  use.users += 1;
  const { run, nodes } = await use.begun;
  project.provide('rabbitmq', nodes);
  return async () => {
    use.users -= 1;
    if (use.users > 0) return;
    shared[SHARED] = undefined;
    await run.end();
  };
}

async function begin(): Promise<{ run: RabbitRun; nodes: RealNodes }> {
  const start = performance.now();
  const run = await RabbitRun.begin(console.log);
  try {
    const [cluster, ...brokers] = await Promise.all([
      run.startCluster(3),
      run.startBroker(),
      run.startBroker(),
    ]);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`RabbitMQ: a cluster of three and two brokers are ready after ${seconds} s`);
    const nodes = {
      cluster: cluster.nodes.map((node) => node.spec),
      brokers: brokers.map((node) => node.spec),
    };
    return { run, nodes };
  } catch (error) {
    await run.end();
    throw error;
  }
}
