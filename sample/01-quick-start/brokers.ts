import { MemoryBroker } from 'nestjs-failover/testing';

/** The brokers of the demonstration. */
export interface Brokers extends AsyncDisposable {
  readonly urls: readonly string[];
  /** Whether they are known to be nodes of one cluster. */
  readonly cluster: boolean;
  /** Kills the node at this address. Undefined when the brokers are not ours to kill. */
  readonly kill: ((url: string) => Promise<void>) | undefined;
}

export interface BrokersOptions {
  /** Those of `AMQP_URLS` are nodes of one cluster. */
  readonly cluster: boolean;
  /** Three nodes of RabbitMQ, which have to be installed, or are if this process may. */
  readonly rabbitmq: boolean;
}

/** Those of `AMQP_URLS`, else a cluster of three that is started for the demonstration and ends with it. */
export function brokers(options: BrokersOptions, tell: (line: string) => void): Promise<Brokers> {
  const given = process.env['AMQP_URLS'];
  if (given !== undefined && given !== '') return Promise.resolve(existing(given, options.cluster));
  return options.rabbitmq ? rabbitmq(tell) : memory();
}

const existing = (urls: string, cluster: boolean): Brokers => ({
  urls: urls.split(';').filter(Boolean),
  cluster,
  kill: undefined,
  [Symbol.asyncDispose]: async () => undefined,
});

/** In this process, over real sockets. */
async function memory(): Promise<Brokers> {
  const cluster = await MemoryBroker.cluster(['rabbit-1', 'rabbit-2', 'rabbit-3']);
  return {
    urls: cluster.nodes.map(({ name }) => `memory://${name}`),
    cluster: true,
    kill: async (url) => {
      const { hostname } = new URL(url);
      cluster.nodes.find(({ name }) => name === hostname)?.kill();
    },
    [Symbol.asyncDispose]: () => cluster.close(),
  };
}

async function rabbitmq(tell: (line: string) => void): Promise<Brokers> {
  const { RabbitRun } = await import('../../test/kit/rabbitmq/index.js');
  const run = await RabbitRun.begin(tell);
  tell('starting a RabbitMQ cluster of three nodes (about 20 s)');
  const own = await run.startCluster(3);
  return {
    urls: own.urls(),
    cluster: true,
    kill: async (url) => {
      const { port } = new URL(url);
      await own.nodes.find((node) => String(node.port) === port)?.kill();
    },
    [Symbol.asyncDispose]: () => run.end(),
  };
}
