import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, inject, onTestFinished } from 'vitest';

import { MemoryNode } from './memory-node.js';
import type { RealNodes } from './global-setup.rabbitmq.js';
import { RabbitCluster, RabbitNode, RabbitRun } from './rabbitmq/index.js';
import type { NodeOptions, NodeSpec, UrlParts } from './rabbitmq/index.js';

/** Where a virtual host can be: on one broker, on a cluster, or under one name on several brokers. */
export type Place = RabbitNode | RabbitCluster | readonly RabbitNode[];

/** A virtual host that only its test uses. */
export interface Vhost {
  readonly name: string;
  /** The URL of each node it is on, in their order. */
  readonly urls: string[];
  url(node: RabbitNode, parts?: Omit<UrlParts, 'vhost'>): string;
}

/**
 * The run's cluster of three, for a file or a `describe`. Every test begins with all nodes up, without alarm.
 * It is shared: a file must not leave users, policies or limits outside its own virtual host.
 */
export function useCluster(): RabbitCluster {
  const cluster = new RabbitCluster(nodesFrom('cluster'));
  beforeEach(() => cluster.heal());
  return cluster;
}

/** Stories that need nothing that only RabbitMQ has are told on memory brokers as well: `npm run test:embedded`. */
const embedded = process.env['ENGINE'] === 'memory';

/** What a story asks for beyond `StoryNode` is not there, and it does not belong among those of both engines. */
function memoryNodes(): readonly RabbitNode[] {
  const nodes = [new MemoryNode(), new MemoryNode()];
  beforeAll(async () => {
    for (const node of nodes) await node.begin();
  });
  afterAll(async () => {
    for (const node of nodes) await node.end();
  });
  return nodes as unknown as RabbitNode[];
}

/**
 * The run's two independent brokers, for a file or a `describe`. Every test begins with both up, without alarm; with `healed: 'once'` so
 * does the file, for tests that do the brokers no harm: looking after both takes longer than many a test.
 */
export function useBrokers({
  healed = 'each',
}: { readonly healed?: 'each' | 'once' } = {}): readonly [RabbitNode, RabbitNode] {
  const [first, second] = embedded ? memoryNodes() : nodesFrom('brokers');
  if (first === undefined || second === undefined) throw new Error('the run has no two brokers');
  const before = healed === 'each' ? beforeEach : beforeAll;
  before(async () => {
    await Promise.all([first.heal(), second.heal()]);
  });
  return [first, second];
}

/** A fresh virtual host for the test (or `beforeEach`) that calls it; it goes with the test, its nodes healed first. */
export async function useVhost(place: Place): Promise<Vhost> {
  const name = `test-${randomUUID()}`;
  onTestFinished(() => removeVhost(place, name));
  await addVhost(place, name);
  return vhostOn(place, name);
}

/** A virtual host that the tests of a file or a `describe` share. */
export function useSharedVhost(place: Place): Vhost {
  const name = `file-${randomUUID()}`;
  beforeAll(async () => {
    await healAll(place);
    await addVhost(place, name);
  });
  afterAll(() => removeVhost(place, name));
  return vhostOn(place, name);
}

/** A cluster for this test alone; it takes about 10 s to start, and ends with the test. */
export async function startOwnCluster(size = 3, options?: NodeOptions): Promise<RabbitCluster> {
  return (await ownRun()).startCluster(size, options);
}

/** A broker for this test alone; it takes about 3 s to start, and ends with the test. */
export async function startOwnBroker(options?: NodeOptions): Promise<RabbitNode> {
  return (await ownRun()).startBroker(options);
}

async function ownRun(): Promise<RabbitRun> {
  const run = await RabbitRun.begin(console.log);
  onTestFinished(() => run.end());
  return run;
}

function nodesFrom(kind: keyof RealNodes): RabbitNode[] {
  return inject('rabbitmq')[kind].map((spec: NodeSpec) => new RabbitNode(spec));
}

function vhostOn(place: Place, name: string): Vhost {
  const url = (node: RabbitNode, parts: UrlParts = {}): string =>
    node.url({ ...parts, vhost: name });
  return { name, url, urls: nodesOf(place).map((node) => url(node)) };
}

async function addVhost(place: Place, name: string): Promise<void> {
  await Promise.all(databasesOf(place).map((node) => node.addVhost(name)));
}

/** A dead broker would keep the virtual host, and a hung node of a cluster would hold up its removal. */
async function removeVhost(place: Place, name: string): Promise<void> {
  await healAll(place);
  await Promise.all(databasesOf(place).map((node) => node.deleteVhost(name)));
}

async function healAll(place: Place): Promise<void> {
  if (place instanceof RabbitCluster) await place.heal();
  else await Promise.all(nodesOf(place).map((node) => node.heal()));
}

function nodesOf(place: Place): readonly RabbitNode[] {
  if (place instanceof RabbitCluster) return place.nodes;
  return Array.isArray(place) ? (place as readonly RabbitNode[]) : [place as RabbitNode];
}

/** One node of a cluster speaks for all of them. */
function databasesOf(place: Place): readonly RabbitNode[] {
  return place instanceof RabbitCluster ? [place.running()] : nodesOf(place);
}
