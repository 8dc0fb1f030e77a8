// The example of docs/testing.md: what stands between the two marks is shown there.
// <example>
import { expect, test } from 'vitest';
import { FailoverConnection, Producer, Queue } from 'nestjs-failover';
import { MemoryBroker } from 'nestjs-failover/testing';

test('a publish survives the death of its broker', async () => {
  await using cluster = await MemoryBroker.cluster(3);
  await using connection = new FailoverConnection({ urls: cluster.url(), logger: false });
  await using producer = new Producer(connection);
  const queue = new Queue('orders', { type: 'quorum' });
  await producer.publish({ id: 1 }, { queue });

  cluster.nodes[0]?.kill();
  const receipt = await producer.publish({ id: 2 }, { queue });

  expect(receipt.broker).toContain(`:${cluster.nodes[1]?.port}/`);
  expect(cluster.nodes[1]?.queue('orders').ready).toBe(2);
});
// </example>
