// Compiled against the declarations in the tarball, as the code of a user is.
import 'reflect-metadata';
import { Inject, Injectable, Module } from '@nestjs/common';
import {
  Consumer,
  EnsureRetry,
  Exchange,
  FailoverConnection,
  FailoverModule,
  OnMessage,
  Producer,
  Queue,
} from 'nestjs-failover';
import type { Message, PublishReceipt } from 'nestjs-failover';
import { MemoryBroker } from 'nestjs-failover/testing';

interface Order {
  readonly id: string;
}

const orders = new Exchange('orders', { type: 'topic' });
const created = new Queue('orders.created', {
  type: 'quorum',
  exchange: orders,
  routingKey: 'order.created',
});

@Consumer({ queues: [created], prefetchCount: 50, accept: ['json'] })
export class OrderConsumer {
  @OnMessage()
  async onOrder(order: Order, message: Message<Order>): Promise<string> {
    return message.redelivered ? order.id : message.payload.id;
  }
}

@Injectable()
export class OrderService {
  constructor(
    @Inject(Producer) private readonly producer: Producer,
    @Inject(FailoverConnection) private readonly connection: FailoverConnection,
  ) {}

  @EnsureRetry({ maxRetries: 3 })
  async place(order: Order): Promise<PublishReceipt> {
    // @ts-expect-error a queue is not an exchange
    void this.producer.publish(order, { exchange: created });
    return this.producer.publish(order, { exchange: orders, routingKey: 'order.created' });
  }

  where(): string {
    return this.connection.asUri();
  }
}

@Module({
  imports: [FailoverModule.forRoot({ urls: 'amqp://a;amqp://b', startup: 'background' })],
  providers: [OrderConsumer, OrderService],
})
export class AppModule {}

export const broker: Promise<MemoryBroker> = MemoryBroker.start({ name: 'orders' });

// @ts-expect-error there is no such way to start
FailoverModule.forRoot({ urls: 'amqp://a', startup: 'perhaps' });
