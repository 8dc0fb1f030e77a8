import { expect, it } from 'vitest';
import { isAmqpError } from 'nestjs-failover';
import { useConnectionTo, useMemoryBrokers } from './setting.js';

it('a channel that is being closed takes no publish, and its connection lives', async () => {
  const brokers = await useMemoryBrokers(1);
  const connection = useConnectionTo(brokers);
  const channel = await connection.channel({ confirm: true });
  await channel.assertQueue('queue');
  channel.publish('', 'queue', Buffer.from('1'), {});
  const closing = channel.close();
  expect(() => channel.publish('', 'queue', Buffer.from('2'), {})).toThrow(
    expect.toSatisfy(isAmqpError),
  );
  await closing;
  expect(() => channel.publish('', 'queue', Buffer.from('3'), {})).toThrow(
    expect.toSatisfy(isAmqpError),
  );
  const next = await connection.channel({ confirm: true });
  expect(await next.checkQueue('queue')).toMatchObject({ messageCount: 1 });
  expect(brokers[0]?.connections).toHaveLength(1);
});
