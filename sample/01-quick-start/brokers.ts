import { RabbitRun } from '../../test/kit/rabbitmq/index.js';

/** The brokers of the demonstration. */
export interface Brokers extends AsyncDisposable {
  readonly urls: readonly string[];
  /** Whether they are known to be nodes of one cluster. */
  readonly cluster: boolean;
  /** Kills the node at this address with SIGKILL. Undefined when the brokers are not ours to kill. */
  readonly kill: ((url: string) => Promise<void>) | undefined;
}

/** Those of `AMQP_URLS`, else a cluster of three nodes that is started for the demonstration and ends with it. */
export async function brokers(cluster: boolean, tell: (line: string) => void): Promise<Brokers> {
  const given = process.env['AMQP_URLS'];
  if (given !== undefined && given !== '') {
    return {
      urls: given.split(';').filter(Boolean),
      cluster,
      kill: undefined,
      [Symbol.asyncDispose]: async () => undefined,
    };
  }
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
