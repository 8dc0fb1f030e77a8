import { describe, expect, it, vi } from 'vitest';
import { foreignQueue } from '../../../lib/consumer.messages.js';
import { ConsumerRegistry } from '../../../lib/consumer.registry.js';
import { Queue } from '../../../lib/amqp/queue.js';
import { Consumer } from '../../../lib/decorators/consumer.decorator.js';
import { OnMessage } from '../../../lib/decorators/on-message.decorator.js';
import { unknownConsumer } from '../../../lib/nest.messages.js';
import { startApp } from '../fakes/apps.js';

const orders = new Queue('orders');
const { waitFor } = vi;

describe('a consumer class with several handlers', () => {
  it('gives each message to the handler whose criterion it meets, the rest to the one without', async () => {
    const seen: string[] = [];
    @Consumer({ queues: [orders] })
    class Routed {
      @OnMessage({ routingKey: 'orders' })
      byKey(body: unknown): void {
        seen.push(`byKey ${String(body)}`);
      }
      @OnMessage()
      rest(body: unknown): void {
        seen.push(`rest ${String(body)}`);
      }
    }
    const { brokers } = await startApp({ providers: [Routed] });
    brokers.deliver('orders', 1);
    await waitFor(() => expect(seen).toEqual(['byKey 1']));
    await waitFor(() => expect(brokers.settled).toHaveLength(1));
  });

  it('gives messages to the handlers of their queues', async () => {
    const audit = new Queue('audit');
    const seen: string[] = [];
    @Consumer({ queues: [orders, audit] })
    class Both {
      @OnMessage({ queue: orders })
      onOrder(body: unknown): void {
        seen.push(`order ${String(body)}`);
      }
      @OnMessage({ queue: audit })
      onAudit(body: unknown): void {
        seen.push(`audit ${String(body)}`);
      }
    }
    const { brokers } = await startApp({ providers: [Both] });
    brokers.deliver('audit', 1);
    brokers.deliver('orders', 2);
    await waitFor(() => expect(seen.toSorted()).toEqual(['audit 1', 'order 2']));
  });

  it('is refused at start when one waits for a queue that it does not consume from', async () => {
    const foreign = new Queue('foreign');
    @Consumer({ queues: [orders] })
    class Elsewhere {
      @OnMessage({ queue: foreign })
      onForeign(): void {}
    }
    await expect(startApp({ providers: [Elsewhere] })).rejects.toThrow(
      foreignQueue('Elsewhere', 'onForeign', 'foreign'),
    );
  });

  it('does not ack what no handler takes', async () => {
    const handled = vi.fn<() => void>();
    @Consumer({ queues: [orders], undecodable: 'reject' })
    class Picky {
      @OnMessage({ type: 'Created' })
      created(): void {
        handled();
      }
    }
    const { brokers } = await startApp({ providers: [Picky] });
    brokers.deliver('orders', 1);
    await waitFor(() => expect(brokers.settled).toHaveLength(1));
    expect(brokers.settled[0]).not.toContain('ack');
    expect(handled).not.toHaveBeenCalled();
  });
});

describe('ConsumerRegistry', () => {
  it('shows every consumer of the app with its state, and pauses and resumes it', async () => {
    @Consumer({ queues: [orders] })
    class Orders {
      @OnMessage()
      handle(): void {}
    }
    const { app } = await startApp({ providers: [Orders] });
    const registry = app.get(ConsumerRegistry);
    const consumer = registry.get(Orders);
    expect(registry.consumers).toEqual([consumer]);
    expect(consumer.state).toMatchObject({ status: 'consuming' });
    expect(registry.allConsuming).toBe(true);
    await consumer.pause();
    await waitFor(() => expect(consumer.state).toMatchObject({ status: 'paused' }));
    consumer.resume();
    await waitFor(() => expect(consumer.state).toMatchObject({ status: 'consuming' }));
  });

  it('says which consumers there are when one is asked for that is not', async () => {
    const { app } = await startApp();
    expect(() => app.get(ConsumerRegistry).get('Missing')).toThrow(unknownConsumer('Missing', []));
  });
});
