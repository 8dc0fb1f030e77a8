// Plain JavaScript, so that what runs is what the package ships. Required first: it must not need reflect-metadata before it.
const {
  Consumer,
  EnsureRetry,
  FailoverConnection,
  FailoverModule,
  OnMessage,
  Producer,
  Queue,
} = require('nestjs-failover');
require('reflect-metadata');
const { Inject, Injectable } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { MemoryBroker } = require('nestjs-failover/testing');

class OrderConsumer {
  async onOrder() {}
}
const handler = Object.getOwnPropertyDescriptor(OrderConsumer.prototype, 'onOrder');
OnMessage()(OrderConsumer.prototype, 'onOrder', handler);
Consumer({ queues: [new Queue('orders', { type: 'quorum' })] })(OrderConsumer);

class OrderService {
  constructor(producer, connection) {
    this.producer = producer;
    this.connection = connection;
  }
  async place(order) {
    return this.producer.publish(order, { routingKey: 'orders' });
  }
}
const place = Object.getOwnPropertyDescriptor(OrderService.prototype, 'place');
EnsureRetry({ maxRetries: 1 })(OrderService.prototype, 'place', place);
Object.defineProperty(OrderService.prototype, 'place', place);
Inject(Producer)(OrderService, undefined, 0);
Inject(FailoverConnection)(OrderService, undefined, 1);
Injectable()(OrderService);

const AppModule = {
  module: class AppModule {},
  imports: [
    FailoverModule.forRoot({ urls: process.argv[2], startup: 'background', logger: false }),
  ],
  providers: [OrderConsumer, OrderService],
};

async function main() {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const { producer, connection } = app.get(OrderService);
  console.log(
    JSON.stringify({
      node: process.versions.node,
      producer: producer instanceof Producer && producer === app.get(Producer),
      connection: connection instanceof FailoverConnection,
      state: connection.state.kind ?? connection.state,
      consumer: app.get(OrderConsumer) instanceof OrderConsumer,
    }),
  );
  await app.close();
  console.log('closed');

  const cluster = await MemoryBroker.cluster(['one', 'two']);
  const embedded = new FailoverConnection({ urls: 'memory://one;memory://two', logger: false });
  const publisher = new Producer(embedded);
  const queue = new Queue('orders', { type: 'quorum' });
  await publisher.publish(1, { queue });
  cluster.nodes[0].kill();
  const { broker } = await publisher.publish(2, { queue });
  await publisher.close();
  await embedded.close();
  await cluster.close();
  console.log(broker);
}

void main();
