import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Producer } from 'nestjs-failover';
import { Ledger } from './ledger.js';
import type { Order } from './topology.js';
import { orders } from './topology.js';

@Injectable()
export class OrderService {
  constructor(
    @Inject(Producer) private readonly producer: Producer,
    @Inject(Ledger) private readonly ledger: Ledger,
  ) {}

  /** Resolves when a broker has confirmed the order and a queue took it, on whichever node that was in the end. */
  async place(amount: number): Promise<void> {
    const order: Order = { id: randomUUID(), amount };
    this.ledger.published += 1;
    try {
      const receipt = await this.producer.publish(order, {
        exchange: orders,
        routingKey: 'order.created',
      });
      this.ledger.confirmed.add(order.id);
      if (receipt.redeliverySuspect) this.ledger.republished += 1;
    } catch (error) {
      this.ledger.rejected.push(error instanceof Error ? error.message : String(error));
    }
  }
}
