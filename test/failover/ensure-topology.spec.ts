import { describe, expect, it } from 'vitest';
import { Queue } from '../../lib/amqp/queue.js';
import { ensured } from './fakes/ensured-setting.js';

describe('ensure: the topology after a loss', () => {
  it('is declared on the next broker before the operation runs again', async () => {
    const { connection, transport, operation } = await ensured();
    await connection.declare(new Queue('orders'));
    transport.latest.drop();
    await operation('orders');
    expect(transport.latest.calls).toEqual(['assertQueue orders', 'checkQueue orders']);
  });

  it('is no reason not to run again where the broker refuses it, but is told', async () => {
    const { connection, transport, operation, logger, clock } = await ensured();
    await connection.declare(new Queue('audit'));
    transport.brokers['b'] = 'hung';
    transport.latest.drop();
    const pending = operation('orders');
    await clock.advance(0);
    transport.lastDial.accept().answer = (call) => (call.startsWith('assertQueue') ? 406 : 'ok');
    expect(await pending).toBe('orders');
    expect(logger.lines.some((line) => line.includes('queue "audit"'))).toBe(true);
  });
});
