import { describe, expect, it } from 'vitest';
import { settled } from './fakes/fake-clock.js';
import { eventsOf, fakeSetting } from './fakes/fake-setting.js';

const LIVED = 30_000;

const cloneOf = (setting: ReturnType<typeof fakeSetting>) => {
  const clone = setting.connection.clone({ connectionName: 'clone' });
  return { clone, close: () => clone.close(), events: eventsOf(clone) };
};

describe('a clone', () => {
  it('dials the broker that its sibling is on', async () => {
    const setting = fakeSetting();
    const { connection, transport } = setting;
    transport.brokers['a'] = 'dead';
    await connection.ensureConnection();
    const { clone, close } = cloneOf(setting);
    await clone.ensureConnection();
    expect(transport.dialled).toEqual(['a', 'b', 'b']);
    expect(transport.lastDial.options.connectionName).toBe('clone');
    await close();
    expect(connection.state.status).toBe('connected');
  });

  it('goes to the same broker after both lost theirs, whoever notices first', async () => {
    const setting = fakeSetting({ urls: 'amqp://a;amqp://b;amqp://c' });
    const { connection, transport, clock } = setting;
    const { clone, close } = cloneOf(setting);
    await connection.ensureConnection();
    await clone.ensureConnection();
    await clock.advance(LIVED);
    transport.brokers['b'] = 'dead';
    const [first, second] = transport.connections;
    second?.drop();
    await settled();
    first?.drop();
    await settled();
    expect(transport.live.map(({ broker }) => broker.hostname)).toEqual(['c', 'c']);
    expect(transport.dialled).toEqual(['a', 'a', 'b', 'c', 'c']);
    await close();
  });

  it('keeps its name if none is given, and refuses an option that is unknown', () => {
    const { connection } = fakeSetting();
    expect(connection.clone().info().connectionName).toBe('test');
    expect(connection.clone({ connectionName: undefined as never }).info().connectionName).toBe(
      'test',
    );
    expect(() => connection.clone({ conectionName: 'x' } as never)).toThrow('conectionName');
  });
});
