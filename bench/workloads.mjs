import { setTimeout as pause } from 'node:timers/promises';

const WARM_UP = 2_000;
/** For acks and the like that are still on their way out. */
const SETTLE = 100;

/** A JSON object of exactly `size` bytes, or the Buffer of it. */
export function bodyOf(size, asObject) {
  const empty = JSON.stringify({ id: 1, text: '' }).length;
  const object = { id: 1, text: 'x'.repeat(size - empty) };
  return asObject ? object : Buffer.from(JSON.stringify(object));
}

/** Publishes `count`, of which no more than `outstanding` are unconfirmed. Resolves when all are confirmed. */
function confirmed(client, body, count, outstanding) {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let done = 0;
    const onDone = (error) => {
      if (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      done += 1;
      if (done === count) resolve();
      else if (sent < count) send();
    };
    const send = () => {
      sent += 1;
      client.publish(body, String(sent), onDone);
    };
    while (sent < Math.min(count, outstanding)) send();
  });
}

const cpuSeconds = (since) => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
};

async function publish(client, { size, count, outstanding, takesObjects }) {
  const body = bodyOf(size, takesObjects);
  await confirmed(client, body, WARM_UP, outstanding);
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await confirmed(client, body, count, outstanding);
  const seconds = (performance.now() - begun) / 1_000;
  return { rate: count / seconds, cpu: (cpuSeconds(cpu) / count) * 100_000 };
}

async function oneAtATime(client, { size, count, takesObjects }) {
  const body = bodyOf(size, takesObjects);
  await confirmed(client, body, WARM_UP / 4, 1);
  const took = [];
  const cpu = process.cpuUsage();
  for (let n = 0; n < count; n += 1) {
    const begun = performance.now();
    await confirmed(client, body, 1, 1);
    took.push(performance.now() - begun);
  }
  took.sort((one, other) => one - other);
  return {
    p50: took[Math.floor(count * 0.5)],
    p99: took[Math.floor(count * 0.99)],
    cpu: (cpuSeconds(cpu) / count) * 100_000,
  };
}

async function consume(client, { count }) {
  let handled = 0;
  let cpu;
  let begun = 0;
  await new Promise((resolve) => {
    client.consume(250, () => {
      handled += 1;
      if (handled === WARM_UP) {
        cpu = process.cpuUsage();
        begun = performance.now();
      } else if (handled === count) resolve();
    });
  });
  const seconds = (performance.now() - begun) / 1_000;
  await pause(SETTLE);
  const measured = count - WARM_UP;
  return { rate: measured / seconds, cpu: (cpuSeconds(cpu) / measured) * 100_000 };
}

/** Publishes all of it while there is no broker, and then drains. The parent takes the broker away, and gives it back. */
async function whileDown(client, { size, count, takesObjects }) {
  const body = bodyOf(size, takesObjects);
  await confirmed(client, body, WARM_UP, 1_000);
  process.send('ready');
  await new Promise((resolve) => process.once('message', resolve));
  let first = 0;
  let cpu;
  const all = new Promise((resolve, reject) => {
    let done = 0;
    for (let n = 0; n < count; n += 1) {
      client.publish(body, String(n), (error) => {
        if (error) reject(error instanceof Error ? error : new Error(String(error)));
        done += 1;
        if (done === 1) first = performance.now();
        if (done === count) resolve();
      });
    }
  });
  await pause(SETTLE);
  const queuedMiB = process.memoryUsage().rss / 2 ** 20;
  cpu = process.cpuUsage();
  process.send('queued');
  await all;
  return { seconds: (performance.now() - first) / 1_000, cpu: cpuSeconds(cpu), queuedMiB };
}

export const workloads = { publish, 'one at a time': oneAtATime, consume, 'while down': whileDown };
