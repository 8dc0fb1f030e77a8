// What a MemoryBroker takes: confirmed publishes and acked deliveries a second through amqplib, and how soon a first connection
// stands. Client and broker share this process, so both are paid for. `npm run bench:memory`; the last line is JSON.
import { connect } from 'amqplib';
import { MemoryBroker } from 'nestjs-failover/testing';

const MESSAGES = 100_000;
const OUTSTANDING = 1_000;
const ROUNDS = 5;
const BODY = Buffer.alloc(100, 'x');
const TARGET = 20_000;

const median = (values) =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)];

async function startToConnection() {
  const begun = performance.now();
  const broker = await MemoryBroker.start();
  // As this package dials: with Nagle's algorithm on, the kernel holds the handshake back for 40 ms.
  const model = await connect(broker.url(), { noDelay: true });
  const took = performance.now() - begun;
  await model.close();
  await broker.close();
  return took;
}

async function publishes(channel) {
  let sent = 0;
  let confirmed = 0;
  const begun = performance.now();
  await new Promise((resolve) => {
    const pump = () => {
      for (; sent < MESSAGES && sent - confirmed < OUTSTANDING; sent += 1) {
        channel.sendToQueue('bench', BODY, { messageId: String(sent) }, () => {
          confirmed += 1;
          if (confirmed === MESSAGES) resolve();
          else if (sent - confirmed < OUTSTANDING / 2) pump();
        });
      }
    };
    pump();
  });
  return (MESSAGES / (performance.now() - begun)) * 1_000;
}

async function deliveries(channel) {
  let acked = 0;
  const begun = performance.now();
  await channel.prefetch(250);
  const { promise, resolve } = deferred();
  const { consumerTag } = await channel.consume('bench', (message) => {
    channel.ack(message);
    acked += 1;
    if (acked === MESSAGES) resolve();
  });
  await promise;
  const rate = (MESSAGES / (performance.now() - begun)) * 1_000;
  await channel.cancel(consumerTag);
  return rate;
}

function deferred() {
  let resolve;
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

const cold = await startToConnection();
const warm = [];
for (let round = 0; round < 20; round += 1) warm.push(await startToConnection());

const broker = await MemoryBroker.start();
const model = await connect(broker.url());
const channel = await model.createConfirmChannel();
await channel.assertQueue('bench');
const published = [];
const consumed = [];
for (let round = 0; round < ROUNDS; round += 1) {
  published.push(await publishes(channel));
  consumed.push(await deliveries(channel));
}
await model.close();
await broker.close();

const figures = {
  'confirmed publishes of 100 B a second': Math.round(median(published)),
  'of these the least': Math.round(Math.min(...published)),
  'acked deliveries of 100 B a second': Math.round(median(consumed)),
  'start to first connection, first of the process, ms': Number(cold.toFixed(1)),
  'start to first connection, ms': Number(median(warm).toFixed(1)),
};
console.table(figures);
console.log(JSON.stringify(figures));
if (figures['confirmed publishes of 100 B a second'] < TARGET) process.exitCode = 1;
