import { expect, it } from 'vitest';
import { confirms, publishingSetting } from './fakes/publishing.js';

/** Two publishes on one channel of broker a, which is closed by an offender among them; then the connection is lost. */
async function killedThenLost() {
  const setting = publishingSetting({ connection: { livedAfter: 0 } });
  const odd = setting.publish('odd');
  const other = setting.publish('other');
  await setting.settle();
  setting.channel.fake.closeBy(404);
  setting.channel.connection.drop();
  return { setting, odd, other };
}

it('a publish that the broker before may hold is unknown when the next one refuses it', async () => {
  const { setting, odd, other } = await killedThenLost();
  setting.broker.answer = (sent) => {
    if (sent.routingKey === 'odd') sent.on.fake.closeBy(404);
    else confirms(sent);
  };
  await setting.pass(2_000);
  expect(setting.transport.dialled).toEqual(['a', 'b']);
  expect(odd.error).toMatchObject({ outcome: 'unknown', code: 404 });
  expect(other.value).toMatchObject({ redeliverySuspect: true });
});

it('and when the next one gives it back', async () => {
  const { setting, odd } = await killedThenLost();
  setting.broker.answer = ({ on, tag, routingKey }) => {
    if (routingKey === 'odd') on.return(tag);
    on.ack(tag);
  };
  await setting.pass(2_000);
  expect(odd.error).toMatchObject({ outcome: 'unknown', code: 312 });
});

it('of two, each alone on its channel, only the one that ends the connection again is given up', async () => {
  const setting = publishingSetting({
    connection: { livedAfter: 0 },
    producer: { nackBackoffStart: 10 },
  });
  const odd = setting.publish('odd');
  const other = setting.publish('other');
  await setting.settle();
  const [channel] = setting.channels;
  channel?.nack(2);
  await setting.pass(20);
  expect(setting.channels.map(({ keys }) => keys)).toEqual([['odd', 'other'], ['other']]);

  setting.broker.answer = (sent) => {
    if (sent.routingKey === 'odd') sent.on.connection.drop(501);
    else confirms(sent);
  };
  channel?.connection.drop(501);
  await setting.pass(2_000);

  expect(other.value).toMatchObject({ redeliverySuspect: true });
  expect(odd.error).toMatchObject({ outcome: 'unknown', code: 501 });
});

it('and one that comes back after an offender beside it has killed the channel it was first sent on', async () => {
  const setting = publishingSetting();
  const [odd, other] = [setting.publish('odd'), setting.publish('other')];
  await setting.settle();
  setting.broker.answer = ({ on, tag, routingKey }) => {
    if (routingKey === 'other') on.fake.closeBy(406);
    else {
      on.return(tag);
      on.ack(tag);
    }
  };
  setting.channel.fake.closeBy(406);
  await setting.pass(100);
  expect(other.error).toMatchObject({ outcome: 'refused', code: 406 });
  expect(odd.error).toMatchObject({ outcome: 'unknown', code: 312 });
});
