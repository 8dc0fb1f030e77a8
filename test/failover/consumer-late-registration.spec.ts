import { describe, expect, it } from 'vitest';
import { Queue } from '../../lib/amqp/queue.js';
import { consumerSetting, deferred, orders } from './fakes/consumer-setting.js';
import { settled } from './fakes/fake-clock.js';

const invoices = new Queue('invoices');

/**
 * A consumer of two queues, whose registration with the second one is answered when the test says so. A handler runs of a message
 * from the first one, so that the channel is kept for its ack.
 */
async function registering() {
  const handled = deferred();
  const setting = consumerSetting({
    queues: [orders, invoices],
    handle: () => handled.promise,
  });
  await setting.connection.connect();
  const { latest } = setting.transport;
  latest.answer = (call) => (call === 'consume invoices' ? 'hang' : 'ok');
  void setting.loop.start().catch(() => undefined);
  await settled();
  const { consumer } = setting;
  latest.answer = () => 'ok';
  return { setting, consumer, handled, latest };
}

describe('a registration that the broker confirms when it is not wanted any more', () => {
  it.each(['pause', 'stop'] as const)('is cancelled: %s()', async (verb) => {
    const { consumer, handled, latest, setting } = await registering();
    consumer.deliver();
    await settled();
    void setting.loop[verb]();
    await settled();
    expect(latest.calls).toContain('cancel tag-of-orders');
    consumer.channel.answerHung();
    await settled();
    expect(latest.calls).toContain('cancel tag-of-invoices');
    handled.resolve();
    await settled();
    expect(consumer.settled).toEqual(['ack 1']);
  });

  it('is cancelled when the broker has cancelled another one meanwhile', async () => {
    const { consumer, handled, latest, setting } = await registering();
    consumer.deliver();
    await settled();
    consumer.cancel();
    consumer.channel.answerHung();
    await settled();
    expect(latest.calls).toContain('cancel tag-of-invoices');
    handled.resolve();
    await setting.consumingAgain();
  });
});
