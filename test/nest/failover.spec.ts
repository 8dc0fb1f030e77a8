import 'reflect-metadata';
import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Channel } from '../../lib/amqp/channel.js';
import { Exchange } from '../../lib/amqp/exchange.js';
import { Queue } from '../../lib/amqp/queue.js';
import { Consumer } from '../../lib/decorators/consumer.decorator.js';
import { EnsureRetry } from '../../lib/decorators/ensure-retry.decorator.js';
import { OnMessage } from '../../lib/decorators/on-message.decorator.js';
import { liveChannel, RetryChannel } from '../../lib/decorators/retry-channel.decorator.js';
import { FailoverModule } from '../../lib/failover.module.js';
import { FailoverConnection } from '../../lib/failover/failover-connection.js';
import { Producer } from '../../lib/failover/producer.js';
import type { FailoverModuleOptions } from '../../lib/interfaces/failover-module-options.interface.js';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { until } from '../kit/rabbitmq/until.js';

const orders = new Exchange('orders', { type: 'topic' });
const created = new Queue('orders.created', { exchange: orders, routingKey: 'order.created' });

@Consumer({ queues: [created], prefetchCount: 5 })
class OrderConsumer {
  readonly seen: number[] = [];
  @OnMessage()
  async onOrder(order: { id: number }): Promise<void> {
    this.seen.push(order.id);
  }
}

@Injectable()
class OrderService {
  runs = 0;
  constructor(@Inject(Producer) private readonly producer: Producer) {}

  place(id: number) {
    return this.producer.publish({ id }, { exchange: orders, routingKey: 'order.created' });
  }

  @EnsureRetry({ channel: true, timeout: 20_000 })
  async audit(
    between: () => Promise<void>,
    @RetryChannel() channel: Channel = liveChannel(),
  ): Promise<string> {
    this.runs += 1;
    if (this.runs === 1) await between();
    await channel.checkExchange('amq.topic');
    return channel.connection.broker.toString();
  }
}

@Module({ providers: [OrderConsumer, OrderService] })
class AppModule {}

const startApp = async (options: FailoverModuleOptions) => {
  const app = await NestFactory.createApplicationContext(
    {
      module: AppModule,
      imports: [FailoverModule.forRoot({ logger: false, connectionName: 'shop', ...options })],
    },
    { logger: false, abortOnError: false },
  );
  onTestFinished(() => app.close());
  return app;
};

describe('a Nest app on two brokers', () => {
  const [first, second] = useBrokers();

  it('goes on publishing and consuming when its broker is killed', async () => {
    const vhost = await useVhost([first, second]);
    const app = await startApp({ urls: vhost.urls });
    const { seen } = app.get(OrderConsumer);
    const service = app.get(OrderService);
    const receipt = await service.place(1);
    await until('the first order is seen', () => seen.includes(1), 5_000);

    await first.kill();
    const later = await service.place(2);
    await until('the second order is seen', () => seen.includes(2), 15_000);
    expect(receipt.broker).toContain(String(first.port));
    expect(later.broker).toContain(String(second.port));
    expect(seen.filter((id) => id === 2)).toEqual([2]);
  });

  it('runs a method under @EnsureRetry again on a channel of the other broker', async () => {
    const vhost = await useVhost([first, second]);
    const app = await startApp({ urls: vhost.urls });
    const service = app.get(OrderService);
    const broker = await service.audit(() => first.kill());
    expect(broker).toContain(String(second.port));
    expect(service.runs).toBe(2);
  });

  it('says which queue differs, and leaves no connection behind', async () => {
    const vhost = await useVhost(first);
    const other = new FailoverConnection({ urls: vhost.urls, logger: false });
    onTestFinished(() => other.close());
    await other.connect();
    await other.declare(new Queue('orders.created', { exclusive: false, durable: false }));
    const starting = startApp({ urls: vhost.urls }).then(() => undefined);
    await expect(starting).rejects.toThrow('queue "orders.created"');
    expect(other.state.status).toBe('connected');
  });

  it('fails with each broker and its reason when none is there', async () => {
    const vhost = await useVhost([first, second]);
    await Promise.all([first.kill(), second.kill()]);
    const starting = startApp({ urls: vhost.urls, startup: 'fail-fast' }).then(() => undefined);
    await expect(starting).rejects.toMatchObject({
      name: 'OperationalError',
      failures: [
        { broker: expect.stringContaining(String(first.port)) },
        { broker: expect.stringContaining(String(second.port)) },
      ],
    });
  });

  it('leaves nothing behind when it is closed', async () => {
    const vhost = await useVhost(first);
    const open = () =>
      process.getActiveResourcesInfo().filter((name) => /^(TCP|Timeout)/.test(name)).length;
    const before = open();
    const app = await startApp({ urls: vhost.urls });
    await app.get(OrderService).place(1);
    expect(open()).toBeGreaterThan(before);
    await app.close();
    // The wrap of a socket that is destroyed is freed in a later turn.
    await until(
      'all sockets and timers are gone',
      () => open() <= before,
      2_000,
      () => process.getActiveResourcesInfo().join(),
    );
    await expect(app.get(OrderService).place(2)).rejects.toMatchObject({ outcome: 'not-sent' });
  });
});
