import { Inject } from '@nestjs/common';
import { Consumer, OnMessage } from 'nestjs-failover';
import { Ledger } from './ledger.js';
import type { Order } from './topology.js';
import { created } from './topology.js';

@Consumer({ queues: [created], prefetchCount: 50, accept: ['json'] })
export class OrderConsumer {
  constructor(@Inject(Ledger) private readonly ledger: Ledger) {}

  /** Resolves: acked. Throws: handed back to the queue after a backoff. */
  @OnMessage()
  async onOrder(order: Order): Promise<void> {
    this.ledger.consume(order.id);
  }
}
