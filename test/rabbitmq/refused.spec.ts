import { expect, onTestFinished, test } from 'vitest';
import { Producer, Queue } from 'nestjs-failover';
import type { RabbitNode } from '../kit/rabbitmq/index.js';
import { useBrokers, useVhost } from '../kit/brokers.js';
import type { Vhost } from '../kit/brokers.js';
import { next, recorded, told, useConnection } from '../kit/fronts.js';

const brokers = useBrokers();
const [first, second] = brokers;

const wrong = (vhost: Vhost, node: RabbitNode): string =>
  vhost.url(node, { user: 'guest', password: 'wrong' });

test('goes past a broker that refuses the login to the next one', async () => {
  const vhost = await useVhost(brokers);
  const connection = useConnection({ urls: [wrong(vhost, first), vhost.url(second)] });
  const events = recorded(connection);

  await connection.connect();

  expect(told(events).at(-1)).toBe(`connected ${second.port}`);
  expect(events[1]).toMatchObject({ type: 'failed', interval: 0, error: { reason: 'refused' } });
});

test('tells those who wait, broker by broker, when all refuse: another round would not help', async () => {
  const vhost = await useVhost(second);
  const connection = useConnection({
    urls: [first.url({ vhost: 'no-such-vhost' }), wrong(vhost, second)],
  });

  // Without maxRetries: it would bear any number of failed rounds.
  await expect(connection.ensureConnection()).rejects.toMatchObject({
    name: 'OperationalError',
    attempts: 2,
    failures: [
      {
        broker: `amqp://guest:**@127.0.0.1:${first.port}/no-such-vhost`,
        error: { reason: 'refused', message: expect.stringContaining('no-such-vhost') as string },
      },
      {
        broker: `amqp://guest:**@127.0.0.1:${second.port}/${vhost.name}`,
        error: { reason: 'refused', message: expect.stringContaining('login') as string },
      },
    ],
  });
});

test.for(['its permissions are taken away', 'its password is changed'])(
  'is refused while it runs when %s, says so in its state, and recovers when it is let in again',
  async (what) => {
    const vhost = await useVhost(first);
    const user = `user-${vhost.name}`;
    await first.addUser(user, 'one');
    await first.setPermissions(user, vhost.name);
    const connection = useConnection({
      urls: vhost.url(first, { user, password: 'one' }),
      refusedInterval: 100,
    });
    await connection.declare(new Queue('orders'));
    await connection.connect();
    const producer = new Producer(connection);
    onTestFinished(() => producer.close());
    const refused = next(connection, 'refused');
    if (what === 'its password is changed') await first.changePassword(user, 'two');
    else await first.clearPermissions(user, vhost.name);

    await first.closeConnections('rotation');

    expect((await refused).failures).toMatchObject([{ error: { reason: 'refused' } }]);
    await expect(connection.ensureConnection()).rejects.toMatchObject({
      name: 'OperationalError',
    });
    expect(['refused', 'connecting']).toContain(connection.state.status);
    const back = next(connection, 'connected');
    const publishing = producer.publish('kept', { routingKey: 'orders' });

    await first.changePassword(user, 'one');
    await first.setPermissions(user, vhost.name);

    await back;
    expect(await publishing).toMatchObject({ attempts: 1 });
    await first.deleteUser(user);
  },
);

test('asks a password function anew at each dial, so that a rotation needs no restart', async () => {
  const vhost = await useVhost(first);
  const user = `user-${vhost.name}`;
  await first.addUser(user, 'one');
  await first.setPermissions(user, vhost.name);
  let password = 'one';
  const connection = useConnection({
    urls: [
      {
        hostname: '127.0.0.1',
        port: first.port,
        vhost: vhost.name,
        username: user,
        password: () => password,
      },
    ],
  });
  await connection.connect();
  password = 'two';
  await first.changePassword(user, 'two');
  const back = next(connection, 'connected');

  await first.closeConnections('rotation');

  expect((await back).broker).toBe(connection.asUri());
  await first.deleteUser(user);
});
