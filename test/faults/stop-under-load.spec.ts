import 'reflect-metadata';
import { setTimeout as after } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { expect, onTestFinished, test } from 'vitest';
import type { Message, PublishError } from 'nestjs-failover';
import { Consumer, FailoverModule, OnMessage, Producer } from 'nestjs-failover';
import { useBrokers, useVhost } from '../kit/brokers.js';
import { useFront } from '../kit/fronts.js';
import type { AmqpProxy } from '../kit/proxy/index.js';
import { until } from '../kit/rabbitmq/index.js';
import type { RabbitNode } from '../kit/rabbitmq/index.js';
import { printRow } from '../kit/print-row.js';
import { foundOn } from './found-on.js';
import { idOf, Ledger } from './ledger.js';
import type { Numbered } from './ledger.js';
import { classicQueue, orders } from './workload.js';

const [broker] = useBrokers();

const SHUTDOWN = 5_000;

/** Until then a broker may not have stored an ack that it has read. */
const STORED = 1_000;

const PREFETCH = 50;

@Consumer({ queues: [classicQueue], prefetchCount: PREFETCH })
class OrderConsumer {
  readonly begun: string[] = [];
  readonly finished = new Set<string>();
  /** When each finished, and its message, whose state says what became of its ack. */
  readonly endings: { readonly id: string; readonly at: number; readonly message: Message }[] = [];

  @OnMessage()
  async onOrder(order: Numbered, message: Message): Promise<void> {
    this.begun.push(idOf(order));
    await after(20);
    this.finished.add(idOf(order));
    this.endings.push({ id: idOf(order), at: performance.now(), message });
  }
}

@Module({ providers: [OrderConsumer] })
class AppModule {}

async function appUnderLoad() {
  const vhost = await useVhost(broker);
  const { proxy, url } = await useFront(broker, vhost);
  const options = { urls: url, logger: false, shutdownTimeout: SHUTDOWN } as const;
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
  return { app, vhost, proxy, consumer, ledger };
}

/** The tags that the consumer has acked on the wire. It has one channel, and one connection to the end. */
function ackedOnTheWire({ arrivals }: AmqpProxy): Set<number> {
  const acks = arrivals.filter(
    ({ direction, method }) => direction === 'client' && method === 'basic.ack',
  );
  const tags = new Set<number>();
  for (const { fields } of acks) {
    const { deliveryTag = 0, multiple = false } = fields;
    for (let tag = multiple ? 1 : deliveryTag; tag <= deliveryTag; tag += 1) tags.add(tag);
  }
  return tags;
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
    const { app, vhost, proxy, consumer, ledger } = await appUnderLoad();
    const faulted = performance.now();
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
    const again = consumer.endings.filter(({ id }) => found.has(id));
    const acked = ackedOnTheWire(proxy);
    const sent = consumer.endings.filter(({ message }) => message.state === 'acked');
    const lost = consumer.endings.filter(({ message }) => message.state === 'lost');
    const unwritten = sent.filter(({ message }) => !acked.has(message.deliveryInfo.deliveryTag));
    // What the broker had had time to store.
    const stored = again.filter(({ at }) => at < faulted - STORED);
    printRow(`stop under load, broker ${name}`, {
      published: ledger.published,
      confirmed: ledger.confirmed.size,
      rejected: ledger.rejections.length,
      outcomes: [...outcomes].join('+'),
      unsettled: pending,
      finished: consumer.finished.size,
      'acks on the wire': sent.length - unwritten.length,
      'acks that never left': unwritten.length,
      'acks lost with the connection': lost.length,
      'finished and redelivered': again.length,
      'of those finished 1 s before the fault': stored.length,
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
    // An ack is on the wire, unless there is none to put it on: what finishes while the connection dies, and after.
    expect(sent.length + lost.length).toBe(consumer.endings.length);
    expect(unwritten.filter(({ at }) => name !== 'dead' || at < faulted - 100)).toEqual([]);
    expect(lost.filter(({ at }) => name !== 'dead' || at < faulted)).toEqual([]);
    expect(unwritten.length + lost.length).toBeLessThanOrEqual(PREFETCH);
    expect(stored).toEqual([]);
    // An ack cannot be on a broker that has died or hangs; of those there are no more than were in hand.
    expect(again.length).toBeLessThanOrEqual(acksArrive ? 0 : PREFETCH);
  },
);
