// How long a kill of the connected node is felt: `npm run bench:failover -- --kills 20`. All clients are hit by the same kills, each in a process of its
// own with a queue of its own and its default settings: on a cluster of three with a quorum queue, and on two independent brokers.
import { fork } from 'node:child_process';
import { connect as dial } from 'node:net';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from 'amqplib';
import { beginRun } from './nodes.mjs';
import { quantile } from './statistics.mjs';
import { table } from './tables.mjs';

/** Those that take a list of brokers. */
const clients = ['nestjs-failover', 'amqp-connection-manager', 'rabbitmq-client', 'golevelup'];

const { values: options } = parseArgs({
  options: { kills: { type: 'string', default: '20' }, out: { type: 'string', default: '' } },
});
const KILLS = Number(options.kills);
/** After so long it counts as not recovered. */
const LIMIT = 30_000;
const READY = 30_000;

const urlOf = (node) => `amqp://guest:guest@127.0.0.1:${node.port}`;

async function declare(node, queues, type) {
  const control = await connect(urlOf(node));
  const channel = await control.createChannel();
  for (const queue of queues) {
    await channel.assertQueue(queue, { arguments: { 'x-queue-type': type } });
  }
  await control.close();
}

function worker(client, job) {
  const child = fork(new URL('failover-worker.mjs', import.meta.url), {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const said = (limit, wanted) =>
    new Promise((resolve) => {
      const late = setTimeout(() => resolve(undefined), limit);
      child.on('message', (message) => {
        if (!wanted(message)) return;
        clearTimeout(late);
        resolve(message);
      });
    });
  child.once('exit', (code, signal) => {
    if (code !== 0) console.error(`${client} has ended by itself: ${signal ?? code}`);
  });
  child.send({ ...job, client });
  return { child, ready: said(READY, (message) => message === 'ready'), said };
}

/** Kills the node that all are connected to first, and gives for each client how long it took. */
async function kill(victim, others, type) {
  const queues = clients.map((client) => `${client}-${Math.trunc(performance.now())}`);
  const nodes = [victim, ...others];
  if (type === 'quorum') await declare(victim, queues, type);
  else for (const node of nodes) await declare(node, queues, type);
  const workers = clients.map((client, n) =>
    worker(client, { urls: nodes.map(urlOf), queue: queues[n], type }),
  );
  await Promise.all(workers.map(({ ready }) => ready));
  // One that restarts its consumer at most once a second is not to be hit in its first.
  await pause(2_000);
  const witness = dial(victim.port, '127.0.0.1');
  witness.on('error', () => undefined);
  await once(witness, 'connect');
  const found = workers.map(({ said }) => said(LIMIT, (message) => typeof message === 'object'));
  const dead = new Promise((resolve) => {
    witness.once('close', () => resolve(performance.timeOrigin + performance.now()));
  });
  const killing = victim.kill();
  const killedAt = await dead;
  for (const { child } of workers) if (child.connected) child.send({ killedAt });
  await killing;
  const results = await Promise.all(found);
  for (const { child } of workers) if (child.connected) child.send('stop');
  await victim.start();
  return Object.fromEntries(clients.map((client, n) => [client, results[n]]));
}

const shown = (value) =>
  Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : `> ${LIMIT}`;

function report(title, kills) {
  const head = [
    'client',
    'first confirm p50, ms',
    'p95',
    'max',
    'first delivery p50, ms',
    'p95',
    'max',
    'not within 30 s',
  ];
  const lineOf = (client) => {
    const of = (what) => kills.map((one) => one[client]?.[what] ?? Infinity);
    const figures = ['confirmed', 'delivered'].flatMap((what) =>
      [0.5, 0.95, 1].map((q) => shown(quantile(of(what), q))),
    );
    return [client, ...figures, kills.filter((one) => one[client] === undefined).length];
  };
  console.log(`\n## ${title}, ${kills.length} kills\n\n${table(head, clients.map(lineOf))}`);
}

const run = await beginRun();
const results = {};

const cluster = await run.startCluster(3);
results.cluster = [];
for (let n = 0; n < KILLS; n += 1) {
  const victim = cluster.nodes[n % 3];
  const others = cluster.nodes.filter((node) => node !== victim);
  results.cluster.push(await kill(victim, others, 'quorum'));
  await cluster.complete();
}
report('a cluster of three, quorum queues', results.cluster);

const brokers = [await run.startBroker(), await run.startBroker()];
results.brokers = [];
for (let n = 0; n < KILLS; n += 1) {
  const victim = brokers[n % 2];
  results.brokers.push(
    await kill(
      victim,
      brokers.filter((node) => node !== victim),
      'classic',
    ),
  );
}
report('two independent brokers, classic queues', results.brokers);

await run.end();
if (options.out !== '') writeFileSync(options.out, JSON.stringify(results, null, 2));
