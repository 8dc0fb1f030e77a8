import { expect, it } from 'vitest';
import { Queue } from '../../lib/amqp/queue.js';
import { consumerSetting, deferred, orders } from './fakes/consumer-setting.js';
import { settled } from './fakes/fake-clock.js';
import { watch } from './fakes/fake-setting.js';

it('is paused when the handlers have settled of a start that had not come to its end', async () => {
  const handled = deferred();
  const setting = consumerSetting({
    queues: [orders, new Queue('invoices')],
    handle: () => handled.promise,
  });
  await setting.connection.connect();
  const { latest } = setting.transport;
  latest.answer = (call) => (call === 'consume invoices' ? 'hang' : 'ok');
  void setting.loop.start();
  await settled();
  const { consumer } = setting;
  consumer.deliver();
  await settled();
  latest.answer = () => 'ok';
  const paused = watch(setting.loop.pause());
  await settled();
  expect(paused.outcome).toBe('pending');
  handled.resolve();
  await settled();
  expect(paused.outcome).toBe('resolved');
  expect(consumer.settled).toEqual(['ack 1']);
});
