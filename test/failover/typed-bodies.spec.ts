import 'reflect-metadata';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { Queue } from '../../lib/amqp/queue.js';
import { OnMessage } from '../../lib/decorators/on-message.decorator.js';
import { ConsumerLoop } from '../../lib/failover/consumer-loop.js';
import type { Message } from '../../lib/failover/message.js';
import { fakeSetting } from './fakes/fake-setting.js';
import { confirms, publishingSetting } from './fakes/publishing.js';

interface Order {
  readonly id: string;
}

const created = new Queue<Order>('orders.created');

describe('the type of a queue', () => {
  it('is that of what is published into it, which goes there past any exchange once it is declared', async () => {
    const setting = publishingSetting({ broker: confirms });
    const publishing = setting.producer.publish({ id: '1' }, { queue: created });
    await setting.settle();
    await expect(publishing).resolves.toMatchObject({ attempts: 1 });
    expect(setting.sent).toMatchObject([
      { exchange: '', routingKey: 'orders.created', body: '{"id":"1"}' },
    ]);
    expect(setting.transport.latest.calls).toContain('assertQueue orders.created');
    // @ts-expect-error a number is no order
    const wrong = setting.producer.publish(5, { queue: created });
    await setting.settle();
    await wrong;
  });

  it('does not narrow what is published elsewhere', () => {
    const { producer } = publishingSetting();
    type Publish = typeof producer.publish;
    expectTypeOf<Publish>().toBeCallableWith(5, { routingKey: 'q' });
    expectTypeOf<Publish>().toBeCallableWith('text');
  });

  it.each([
    ['an exchange', { exchange: 'orders' }],
    ['a routing key', { routingKey: 'q' }],
  ])('is not asked for together with %s', async (_, where) => {
    const { producer } = publishingSetting();
    await expect(producer.publish({ id: '1' }, { queue: created, ...where })).rejects.toMatchObject(
      {
        name: 'ConfigurationError',
        message: expect.stringContaining('neither exchange nor routingKey'),
      },
    );
  });

  it('needs a queue with a name, since nobody else knows the one that the server gives', async () => {
    const { producer } = publishingSetting();
    await expect(producer.publish(1, { queue: new Queue() })).rejects.toMatchObject({
      name: 'ConfigurationError',
    });
  });

  it('is that of what a handler of a loop gets', () => {
    const { connection } = fakeSetting();
    const loop = new ConsumerLoop(connection, {
      name: 'Orders',
      queues: [created],
      handle: (order, message) => {
        expectTypeOf(order).toEqualTypeOf<Order>();
        expectTypeOf(message).toEqualTypeOf<Message<Order>>();
        expectTypeOf(message.payload).toEqualTypeOf<Order>();
      },
    });
    expect(loop.name).toBe('Orders');
  });

  it('is that of what a handler of a class gets that is for this queue', () => {
    class Orders {
      @OnMessage({ queue: created })
      async onOrder(_order: Order, _message: Message<Order>): Promise<void> {}

      @OnMessage({ queue: created })
      withoutMessage(_order: Order): void {}

      // @ts-expect-error an order is no number
      @OnMessage({ queue: created })
      wrong(_order: number): void {}

      @OnMessage()
      rest(_body: unknown): void {}
    }
    expect(Object.getOwnPropertyNames(Orders.prototype)).toHaveLength(5);
  });
});
