// This package beside raw amqplib and others, on one broker, in interleaved rounds: `npm run bench`. Compare ratios: each is the median of the
// ratios to raw amqplib in the same round. `-- --rounds 9`, `--only publish`, `--clients nestjs-failover`, `--out file.json`.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { connect } from 'amqplib';
import { clients as everyone } from './clients/index.mjs';
import { measured } from './measured.mjs';
import { beginRun } from './nodes.mjs';
import { spread } from './statistics.mjs';
import { cells, table } from './tables.mjs';
import { bodyOf } from './workloads.mjs';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    only: { type: 'string', default: '' },
    clients: { type: 'string', default: everyone.join() },
    out: { type: 'string', default: '' },
  },
});
const ROUNDS = Number(options.rounds);
const [BASELINE] = everyone;
const clients = everyone.filter(
  (one) => one === BASELINE || options.clients.split(',').includes(one),
);

const rows = [
  { workload: 'publish', size: 100, count: 30_000, outstanding: 1_000, shows: ['rate', 'cpu'] },
  { workload: 'publish', size: 1_024, count: 30_000, outstanding: 1_000, shows: ['rate', 'cpu'] },
  { workload: 'publish', size: 65_536, count: 4_000, outstanding: 1_000, shows: ['rate', 'cpu'] },
  { workload: 'one at a time', size: 100, count: 2_000, shows: ['p50', 'p99', 'cpu'] },
  { workload: 'one at a time', size: 3_072, count: 2_000, shows: ['p50', 'p99', 'cpu'] },
  { workload: 'consume', size: 100, count: 32_000, shows: ['rate', 'cpu'] },
].filter(({ workload }) => workload.startsWith(options.only));

const units = {
  rate: 'messages/s',
  cpu: 'client CPU, s per 100,000',
  p50: 'p50, ms',
  p99: 'p99, ms',
  peakMiB: 'peak RSS, MiB',
};

const run = await beginRun();
const node = await run.startBroker();
const url = `amqp://guest:guest@127.0.0.1:${node.port}`;
const control = await connect(url);
const channel = await control.createConfirmChannel();

/** Each run has a queue of its own: what the last one left behind costs nobody. */
async function once(client, { workload, size, count, outstanding }, n) {
  const queue = `bench-${n}`;
  await channel.assertQueue(queue, { durable: true });
  if (workload === 'consume') await fill(queue, size, count);
  const result = await measured(client, workload, { urls: [url], queue, size, count, outstanding });
  const { messageCount } = await channel.checkQueue(queue);
  const left = workload === 'consume' ? 0 : undefined;
  if (left !== undefined && messageCount !== left)
    throw new Error(`${client}: ${messageCount} left in ${queue}`);
  await channel.deleteQueue(queue);
  return result;
}

async function fill(queue, size, count) {
  const body = bodyOf(size, false);
  for (let n = 0; n < count; n += 1) {
    channel.sendToQueue(queue, body, {
      messageId: String(n),
      contentType: 'application/json',
      deliveryMode: 2,
    });
  }
  await channel.waitForConfirms();
}

const report = [];
let n = 0;
for (const row of rows) {
  const results = Object.fromEntries(clients.map((client) => [client, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    // Nobody is always first.
    const order = [
      ...clients.slice(round % clients.length),
      ...clients.slice(0, round % clients.length),
    ];
    for (const client of order) results[client].push(await once(client, row, (n += 1)));
  }
  report.push({ ...row, results });
  console.log(`\n## ${titleOf(row)}\n\n${tableOf(row, results)}`);
}

function titleOf({ workload, size, outstanding }) {
  const most = outstanding === undefined ? '' : `, ${outstanding} outstanding`;
  return `${workload}, ${size} B${most}`;
}

function tableOf({ shows }, results) {
  const measures = [...shows, 'peakMiB'];
  const head = ['client', ...measures.flatMap((measure) => [units[measure], '/ amqplib'])];
  return table(
    head,
    clients.map((client) => rowOf(client, measures, results)),
  );
}

function rowOf(client, measures, results) {
  const cellsOf = (measure) => {
    const values = results[client].map((one) => one[measure]);
    const ratios = values.map((value, round) => value / results[BASELINE][round][measure]);
    return cells(spread(values), spread(ratios));
  };
  return [client, ...measures.flatMap(cellsOf)];
}

await control.close();
await run.end();
if (options.out !== '')
  writeFileSync(
    options.out,
    JSON.stringify({ node: process.version, rounds: ROUNDS, report }, null, 2),
  );
