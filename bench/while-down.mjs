// 200,000 publishes while there is no broker, and twice as many: what they take in memory, and in time and CPU to drain once it is back.
// `npm run bench:down`.
import { connect } from 'amqplib';
import { measured } from './measured.mjs';
import { beginRun } from './nodes.mjs';
import { table } from './tables.mjs';

const SIZE = 100;
const QUEUE = 'bench';

const run = await beginRun();
const node = await run.startBroker();
const url = `amqp://guest:guest@127.0.0.1:${node.port}`;

async function once(count) {
  const control = await connect(url);
  const channel = await control.createChannel();
  await channel.assertQueue(QUEUE);
  await channel.purgeQueue(QUEUE);
  await control.close();
  return measured(
    'nestjs-failover',
    'while down',
    { urls: [url], queue: QUEUE, size: SIZE, count },
    {
      async ready(child) {
        await node.kill();
        child.send('down');
      },
      queued: () => node.start(),
    },
  );
}

const lines = [];
for (const count of [200_000, 400_000]) {
  const { seconds, cpu, queuedMiB, peakMiB } = await once(count);
  lines.push([
    count.toLocaleString('en-US'),
    queuedMiB.toFixed(0),
    peakMiB.toFixed(0),
    seconds.toFixed(1),
    cpu.toFixed(1),
  ]);
}
console.log(
  table(
    [
      'publishes',
      'RSS with all of them queued, MiB',
      'peak RSS, MiB',
      's to drain',
      'CPU s to drain',
    ],
    lines,
  ),
);
await run.end();
