import { describe, expect, it } from 'vitest';
import { isConfigurationError } from '../../lib/errors.js';
import { settled } from './fakes/fake-clock.js';
import { fakeSetting, watch } from './fakes/fake-setting.js';

describe('switchTo', () => {
  it('chooses the broker of the first dial when nothing is connected yet', async () => {
    const { connection, transport } = fakeSetting();
    await connection.switchTo('amqp://b');
    expect(transport.dials).toEqual([]);
    await connection.ensureConnection();
    expect(transport.dialled).toEqual(['b']);
  });

  it('also when the list is not known yet and does not have it', async () => {
    const { connection, transport } = fakeSetting({ urls: async () => 'amqp://a;amqp://b' });
    transport.brokers['x'] = 'dead';
    await connection.switchTo('amqp://x');
    await connection.ensureConnection();
    expect(transport.dialled).toEqual(['x', 'a']);
  });

  it('leaves the current broker, and resolves when the other one is connected', async () => {
    const { connection, transport } = fakeSetting();
    await connection.ensureConnection();
    await connection.channel();
    const left = transport.latest;
    transport.brokers['b'] = 'hung';
    const switched = watch(connection.switchTo('amqp://b'));
    expect(connection.state.status).toBe('connecting');
    await settled();
    expect(switched.outcome).toBe('pending');
    expect(left.closeCalls).toBe(1);
    transport.lastDial.accept();
    await settled();
    expect(switched.outcome).toBe('resolved');
    expect(connection.asUri()).toContain('@b:');
  });

  it('does nothing when it is the current broker already', async () => {
    const { connection, transport } = fakeSetting();
    await connection.ensureConnection();
    await connection.switchTo('amqp://a');
    expect(transport.dialled).toEqual(['a']);
    expect(transport.latest.loss).toBeUndefined();
  });

  it('ends the dial in progress; if that succeeds all the same, its connection is destroyed', async () => {
    const { connection, transport } = fakeSetting();
    transport.brokers['a'] = 'deaf';
    const waiter = watch(connection.ensureConnection());
    await settled();
    const late = transport.lastDial;
    await connection.switchTo('amqp://b');
    expect(late.options.signal.aborted).toBe(true);
    expect(waiter.outcome).toBe('resolved');
    const connected = late.accept();
    await settled();
    expect(connected.destroyed).toBeInstanceOf(Error);
    expect(connection.asUri()).toContain('@b:');
  });

  it.each(['dead', 'refuses'] as const)(
    'ends the pause after a round of %s brokers',
    async (how) => {
      const { connection, transport, clock } = fakeSetting({
        urls: 'amqp://a;amqp://b',
        intervalStart: 500,
      });
      await connection.ensureConnection();
      transport.brokers['a'] = how;
      transport.brokers['b'] = how;
      transport.latest.drop();
      await settled();
      const { status } = connection.state;
      expect(['waiting', 'refused']).toContain(status);
      const now = clock.now();
      await connection.switchTo('amqp://x');
      expect(clock.now()).toBe(now);
      expect(connection.asUri()).toContain('@x:');
    },
  );

  it('to a dead broker goes on with the list, without a wait', async () => {
    const { connection, transport, clock } = fakeSetting();
    await connection.ensureConnection();
    transport.brokers['x'] = 'dead';
    transport.brokers['a'] = 'dead';
    await connection.switchTo('amqp://x');
    expect(transport.dialled).toEqual(['a', 'x', 'a', 'b']);
    expect(clock.now()).toBe(0);
  });

  it('in the middle of a round begins a new one: each other broker is tried before any wait', async () => {
    const { connection, transport, clock } = fakeSetting({ urls: 'amqp://a;amqp://b;amqp://c' });
    transport.brokers['a'] = 'dead';
    transport.brokers['b'] = 'hung';
    transport.brokers['c'] = 'dead';
    watch(connection.ensureConnection());
    await settled();
    transport.brokers['b'] = 'up';
    await connection.switchTo('amqp://c');
    expect(transport.dialled).toEqual(['a', 'b', 'c', 'a', 'b']);
    expect(clock.now()).toBe(0);
  });

  it.each([
    ['two brokers', 'amqp://a;amqp://b'],
    ['no broker', ''],
    ['something else', 'http://a'],
  ])('refuses %s', async (_, url) => {
    const { connection } = fakeSetting();
    await expect(connection.switchTo(url)).rejects.toSatisfy(isConfigurationError);
  });

  it('refuses to send the password in clear where the list has TLS', async () => {
    const { connection } = fakeSetting({ urls: 'amqps://a;amqps://b' });
    await expect(connection.switchTo('amqp://c')).rejects.toSatisfy(isConfigurationError);
  });

  it('takes an address of the list with its password masked, and logs in with the real one', async () => {
    const { connection, transport } = fakeSetting({ urls: 'amqp://a;amqp://u:secret@b' });
    await connection.switchTo('amqp://u:**@b');
    await connection.ensureConnection();
    expect((await transport.lastDial.broker.credentials()).password).toBe('secret');
  });
});
