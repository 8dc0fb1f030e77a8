// Real RabbitMQ nodes from the test kit, which `npm run bench` has compiled before.
import { RabbitRun } from '../.bench-dist/test/kit/rabbitmq/index.js';

/** A run of nodes that ends with the process, in whatever way. */
export async function beginRun() {
  const run = await RabbitRun.begin((line) => console.error(line));
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => void run.end().finally(() => process.exit(1)));
  }
  return run;
}
