import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { FailoverConnection } from 'nestjs-failover';
import { AppModule } from './app.module.js';
import { brokers } from './brokers.js';
import { demonstrate } from './demonstration.js';
import { Ledger } from './ledger.js';
import { OrderService } from './order.service.js';
import { Timeline } from './timeline.js';

async function run(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '30' },
      cluster: { type: 'boolean', default: false },
      rabbitmq: { type: 'boolean', default: false },
    },
  });
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) throw new Error(`--seconds ${values.seconds}: give a number above 0`);
  const timeline = new Timeline();
  await using stage = await brokers(values, (line) => timeline.tell(line));
  const app = await NestFactory.createApplicationContext(AppModule.on(stage.urls, stage.cluster), {
    logger: ['error', 'warn'],
  });
  const ledger = app.get(Ledger);
  const connection = app.get(FailoverConnection);
  timeline.tell(`connected to      ${connection.asUri()}`);
  timeline.watch(connection);
  let inFlight = 0;
  try {
    const orders = app.get(OrderService);
    inFlight = await demonstrate({
      brokers: stage,
      connection,
      orders,
      ledger,
      timeline,
      seconds,
    });
  } finally {
    await app.close();
  }
  const { published, confirmed, republished, consumed, duplicates, rejected, missing } = ledger;
  timeline.tell(`published         ${published}, of these confirmed ${confirmed.size}`);
  timeline.tell(`republished       ${republished}`);
  timeline.tell(`consumed          ${consumed.size}, duplicates ${duplicates}`);
  timeline.tell(`confirmed, but missing: ${missing.length}; rejected: ${rejected.length}`);
  for (const reason of new Set(rejected)) timeline.tell(`rejected: ${reason}`);
  const killed = stage.kill !== undefined;
  const proven = !killed || (timeline.failovers.length > 0 && inFlight > 0);
  if (!proven)
    timeline.tell('no failover was seen with publishes in flight: this run proves nothing');
  return proven && missing.length === 0;
}

process.exitCode = (await run()) ? 0 : 1;
