import { setTimeout as sleep } from 'node:timers/promises';
import type { FailoverConnection } from 'nestjs-failover';
import type { Brokers } from './brokers.js';
import type { Ledger } from './ledger.js';
import type { OrderService } from './order.service.js';
import type { Timeline } from './timeline.js';

/** What the demonstration works with. */
export interface Stage {
  readonly brokers: Brokers;
  readonly connection: FailoverConnection;
  readonly orders: OrderService;
  readonly ledger: Ledger;
  readonly timeline: Timeline;
  readonly seconds: number;
}

const EVERY = 5;
const BURST = 50;
const SETTLE = 60_000;

/** Publishes all the while; kills the connected node on the way, if it may. @returns how many publishes were in flight then */
export async function demonstrate(stage: Stage): Promise<number> {
  const { brokers, connection, orders, ledger, timeline, seconds } = stage;
  const placing: Promise<void>[] = [];
  const timer = setInterval(() => placing.push(orders.place(1)), EVERY);
  let inFlight = 0;
  try {
    if (brokers.kill === undefined) {
      timeline.tell(`publishing for ${seconds} s: stop a node now, and start it again`);
      await sleep(seconds * 1_000);
    } else {
      await sleep(2_000);
      const lost = new Promise((resolve) => connection.on('lost', resolve));
      const found = new Promise((resolve) => connection.on('connected', resolve));
      for (let amount = 1; amount <= BURST; amount += 1) placing.push(orders.place(amount));
      ({ inFlight } = ledger);
      timeline.tell(`killing           ${connection.asUri()} with ${inFlight} publishes in flight`);
      await brokers.kill(connection.asUri());
      await lost;
      await found;
      await sleep(2_000);
    }
  } finally {
    clearInterval(timer);
  }
  await Promise.all(placing);
  await consumedAll(ledger);
  return inFlight;
}

async function consumedAll(ledger: Ledger): Promise<void> {
  for (const end = performance.now() + SETTLE; performance.now() < end;) {
    if (ledger.missing.length === 0) return;
    await sleep(50);
  }
}
