import { expect, test } from 'vitest';
import { Queue } from 'nestjs-failover';
import { useBrokers } from '../kit/brokers.js';
import { until } from '../kit/rabbitmq/index.js';
import { counted, usePublishing } from './publish.setting.js';

const brokers = useBrokers();
const [first] = brokers;

test('while a memory alarm blocks publishers nothing is lost, deadlines run, and all goes on after', async () => {
  const { publish, connection } = await usePublishing(first, {
    producer: { confirmTimeout: 500 },
  });
  const how = { routingKey: 'q', declare: [new Queue('q')] };
  await publish('before', how);
  await first.memoryAlarm(true);
  const trigger = publish('trigger', how);
  await until('it is blocked', () => connection.blocked !== undefined, 10_000);
  const impatient = publish('impatient', { ...how, timeout: 300 });
  const patient = Array.from({ length: 300 }, (_, n) => publish(n, how));
  expect(await impatient).toMatchObject({ outcome: 'not-sent' });
  // Longer than two confirm timeouts: a blocked broker is not taken for a silent one.
  await new Promise((resolve) => {
    setTimeout(resolve, 1_200);
  });
  await first.memoryAlarm(false);

  const endings = await Promise.all([trigger, ...patient]);
  expect(counted(endings)).toEqual({ confirmed: 301 });
  expect(endings.every(({ receipt }) => receipt?.attempts === 1)).toBe(true);
});

test('when the connected one of two brokers hangs, everything is published on the other one', async () => {
  const { vhost, publish, connection } = await usePublishing(brokers, {
    connection: { heartbeat: 2_000 },
    producer: { confirmTimeout: 1_500 },
  });
  const how = { routingKey: 'q', declare: [new Queue('q')] };
  await publish('before', how);
  const port = new URL(connection.asUri()).port;
  const hung = brokers.find((broker) => String(broker.port) === port);
  const other = brokers.find((broker) => broker !== hung);
  const endings = Array.from({ length: 200 }, (_, n) => publish(n, how));
  await hung?.pause();
  for (let n = 200; n < 400; n += 1) {
    endings.push(publish(n, how));
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }

  const all = await Promise.all(endings);
  expect(counted(all)).toEqual({ confirmed: 400 });
  const there = all.filter(({ receipt }) => receipt?.broker.includes(`:${other?.port}`)).length;
  expect(await other?.messageCount('q', vhost.name)).toBe(there);
});

test('when the connected one of two brokers is killed amid 2,000 publishes, all are confirmed', async () => {
  const { publish, connection } = await usePublishing(brokers);
  const how = { routingKey: 'q', declare: [new Queue('q')] };
  await publish('before', how);
  const port = new URL(connection.asUri()).port;
  const endings = Array.from({ length: 2_000 }, (_, n) => publish(n, how));
  await brokers.find((broker) => String(broker.port) === port)?.kill();

  expect(counted(await Promise.all(endings))).toEqual({ confirmed: 2_000 });
});
