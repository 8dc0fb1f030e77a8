import { expect, it } from 'vitest';
import { confirms, publishingSetting } from './fakes/publishing.js';

it('publishes whose callers gave up do not hold the window for ever: their channel is given up as well', async () => {
  const setting = publishingSetting({
    connection: { livedAfter: 0 },
    producer: { window: 2, confirmTimeout: 100 },
  });
  const given = [setting.publish('1', { timeout: 30 }), setting.publish('2', { timeout: 30 })];
  await setting.pass(40);
  expect(given.map(({ error }) => error)).toMatchObject([
    { outcome: 'unknown' },
    { outcome: 'unknown' },
  ]);
  setting.broker.answer = confirms;

  // Each is given up in less than the confirm timeout.
  const next = [];
  for (let n = 0; n < 4; n += 1) {
    next.push(setting.publish(`next ${n}`, { timeout: 30 }));
    await setting.pass(40);
  }

  expect(next.at(-1)?.value).toMatchObject({ attempts: 1 });
});

it('leaves no timer when the connection of such publishes ends', async () => {
  const setting = publishingSetting({ producer: { confirmTimeout: 60_000 } });
  setting.publish('1', { timeout: 30 });
  await setting.pass(40);
  await setting.producer.close({ timeout: 0 });
  await setting.connection.close();
  expect(setting.clock.pending).toBe(0);
});
