import 'reflect-metadata';
import { setTimeout as after } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { expect, onTestFinished, test } from 'vitest';
import type { PublishError } from 'nestjs-failover';
import { Consumer, FailoverModule, OnMessage, Producer } from 'nestjs-failover';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { until } from '../kit/rabbitmq/index.js';
import type { RabbitNode } from '../kit/rabbitmq/index.js';
import { printRow } from '../kit/print-row.js';
import { foundOn } from './found-on.js';
import { idOf, Ledger } from './ledger.js';
import type { Numbered } from './ledger.js';
import { classicQueue, orders } from './workload.js';

const [broker] = useBrokers();

const SHUTDOWN = 5_000;

@Consumer({ queues: [classicQueue], prefetchCount: 50 })
class OrderConsumer {
  readonly begun: string[] = [];
  readonly finished = new Set<string>();

  @OnMessage()
  async onOrder(order: Numbered): Promise<void> {
    this.begun.push(idOf(order));
    await after(20);
    this.finished.add(idOf(order));
  }
}

@Module({ providers: [OrderConsumer] })
class AppModule {}

async function appUnderLoad() {
  const vhost = await useVhost(broker);
  const options = { urls: vhost.urls, logger: false, shutdownTimeout: SHUTDOWN } as const;
  const app = await NestFactory.createApplicationContext(
    { module: AppModule, imports: [FailoverModule.forRoot(options)] },
    { logger: false, abortOnError: false },
  );
  onTestFinished(() => app.close());
  const producer = app.get(Producer);
  const consumer = app.get(OrderConsumer);
  const ledger = new Ledger();
  const timer = setInterval(() => {
    for (let i = 0; i < 5; i += 1) {
      const id = { producer: 0, n: ledger.published };
      ledger.published += 1;
      producer.publish(id, { exchange: orders, routingKey: 'order.created' }).then(
        () => ledger.confirm(id),
        (error: PublishError) => ledger.reject(id, error, 0),
      );
    }
  }, 5);
  onTestFinished(() => clearInterval(timer));
  await until('it is under load', () => consumer.finished.size > 500, 30_000);
  return { app, vhost, consumer, ledger };
}

interface Standing {
  readonly name: string;
  fault(node: RabbitNode): Promise<void>;
  /** An ack that has reached no living broker is nowhere. */
  readonly acksArrive: boolean;
}

const standings: readonly Standing[] = [
  { name: 'healthy', fault: () => Promise.resolve(), acksArrive: true },
  { name: 'dead', fault: (node) => node.kill(), acksArrive: false },
  { name: 'hung', fault: (node) => node.pause(), acksArrive: false },
];

test.each(standings)(
  'an app is stopped under load while its broker is $name: in time, every publish settled, no finished work again',
  async ({ name, fault, acksArrive }) => {
    const { app, vhost, consumer, ledger } = await appUnderLoad();
    await fault(broker);
    const inHand = consumer.begun.length - consumer.finished.size;
    const begun = performance.now();
    await app.close();
    const took = performance.now() - begun;
    const { pending } = ledger;
    const outcomes = new Set(ledger.rejections.map(({ outcome }) => outcome));
    await broker.heal();
    // What is on its way to a broker that hung is read or dropped by the time its connections are gone.
    const gone = async () => (await broker.connectionCount(vhost.name)) === 0;
    await until('its connections are gone', gone, 30_000);
    const found = await foundOn(vhost.url(broker), classicQueue);
    const again = [...consumer.finished].filter((id) => found.has(id));
    printRow(`stop under load, broker ${name}`, {
      published: ledger.published,
      confirmed: ledger.confirmed.size,
      rejected: ledger.rejections.length,
      outcomes: [...outcomes].join('+'),
      unsettled: pending,
      finished: consumer.finished.size,
      'finished and redelivered': again.length,
      'handlers in hand': inHand,
      'left in the queue': found.size,
      'took ms': Math.round(took),
      'allowed ms': SHUTDOWN,
    });

    expect(took).toBeLessThan(SHUTDOWN + 500);
    expect(pending).toBe(0);
    const missing = [...ledger.confirmed].filter(
      (id) => !consumer.finished.has(id) && !found.has(id),
    );
    expect(missing).toEqual([]);
    // Of what had no ack on a broker that died or hung there is no more than was in hand.
    expect(again.length).toBeLessThanOrEqual(acksArrive ? 0 : 50);
  },
);
