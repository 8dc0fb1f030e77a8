import { describe, expect, it } from 'vitest';
import { consumerSetting, deferred } from './fakes/consumer-setting.js';
import { settled } from './fakes/fake-clock.js';

/** A consumer that has begun anew beside a handler of its first channel, which lives on for the ack of that. */
async function besideAnEarlierChannel() {
  const first = deferred();
  const begun: unknown[] = [];
  const setting = consumerSetting({
    settleTimeout: 5_000,
    handle: (body) => {
      begun.push(body);
      return body === 'first' ? first.promise : undefined;
    },
  });
  const before = await setting.started();
  before.deliver({ content: '"first"' });
  await settled();
  before.cancel();
  const after = await setting.consumingAgain();
  expect(after).not.toBe(before);
  return { setting, first, begun, before, after };
}

describe('a handler whose channel ends when the next one consumes already', () => {
  it('holds back what it handles when the broker closes its channel', async () => {
    const { first, begun, before, after } = await besideAnEarlierChannel();
    before.channel.closeBy(406);
    after.deliver({ content: '"again"', redelivered: true });
    after.deliver({ content: '"new"' });
    await settled();
    expect(begun).toEqual(['first', 'new']);
    first.resolve();
    await settled();
    expect(begun).toEqual(['first', 'new', 'again']);
  });

  it('holds it back when its time to ack is over, from before its channel is closed', async () => {
    const { setting, first, begun, before, after } = await besideAnEarlierChannel();
    const close = before.channel.close.bind(before.channel);
    // The broker gives back what is not acked before it answers.
    before.channel.close = async () => {
      after.deliver({ content: '"again"', redelivered: true });
      await settled();
      await close();
    };
    await setting.clock.advance(5_000);
    await settled();
    expect(before.channel.loss).toBeDefined();
    expect(begun).toEqual(['first']);
    first.resolve();
    await settled();
    expect(begun).toEqual(['first', 'again']);
  });
});
