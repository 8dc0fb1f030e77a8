import { Exchange, Queue } from 'nestjs-failover';

export interface Order {
  readonly id: string;
  readonly amount: number;
}

export const orders = new Exchange('orders', { type: 'topic' });

/** A quorum queue has a replica on every node of the cluster, so it outlives the one that dies. */
export const created = new Queue<Order>('orders.created', {
  type: 'quorum',
  exchange: orders,
  routingKey: 'order.created',
});
