import { expect, it, onTestFinished } from 'vitest';
import type { FailoverConnection } from '../../lib/failover/failover-connection.js';
import { ConsumerMixin } from '../../lib/failover/mixins/consumer-mixin.js';
import type { ConsumerFactory } from '../../lib/failover/mixins/mixin-hooks.js';
import { orders } from './fakes/consumer-setting.js';
import { settled } from './fakes/fake-clock.js';
import { deliveringChannels } from './fakes/fake-deliveries.js';
import { fakeSetting } from './fakes/fake-setting.js';

class Worker extends ConsumerMixin {
  sessions = 0;
  readonly errors: string[] = [];

  constructor(readonly connection: FailoverConnection) {
    super();
  }

  getConsumers(consumer: ConsumerFactory) {
    this.sessions += 1;
    return [consumer(orders, { callbacks: [(_body, message) => message.ack()] })];
  }

  override onConnectionError(error: Error) {
    this.errors.push(error.name);
  }
}

/** A worker that runs in a world of fakes; at the end of the test it is stopped, and nothing may be left of it. */
async function running() {
  const setting = fakeSetting();
  const channels = deliveringChannels(setting.transport);
  const worker = new Worker(setting.connection);
  const run = worker.run();
  await setting.clock.advance(0);
  onTestFinished(async () => {
    await worker.stop();
    await run;
    await settled();
    expect(setting.clock.pending, 'timers left').toBe(0);
    expect(setting.transport.live, 'connections left').toEqual([]);
  });
  const consuming = () => channels.findLast((channel) => channel.isRegistered('orders'));
  return { ...setting, worker, run, consuming, channels };
}

it('starts at most once a second, however short its sessions are', async () => {
  const { worker, clock, consuming } = await running();
  expect(worker.sessions).toBe(1);
  for (let n = 1; n <= 3; n += 1) {
    consuming()?.channel.closeBy(541);
    await clock.advance(950);
    expect([worker.sessions, worker.state.status]).toEqual([n, 'starting']);
    await clock.advance(60);
    expect([worker.sessions, worker.state.status]).toEqual([n + 1, 'consuming']);
  }
});

it('leaves no channel of a session that is over', async () => {
  const { clock, consuming, transport } = await running();
  const before = transport.latest.openChannels.length;
  for (let n = 0; n < 5; n += 1) {
    consuming()?.cancel();
    await clock.advance(1_100);
    await settled();
  }
  expect(transport.latest.openChannels).toHaveLength(before);
});

it('is not told of a connection that it has closed itself', async () => {
  const { worker, run } = await running();
  await worker.stop();
  await run;
  await settled();
  expect(worker.errors).toEqual([]);
});
