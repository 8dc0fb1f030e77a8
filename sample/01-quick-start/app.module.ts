import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { FailoverModule } from 'nestjs-failover';
import { Ledger } from './ledger.js';
import { OrderConsumer } from './order.consumer.js';
import { OrderService } from './order.service.js';

@Module({ providers: [Ledger, OrderConsumer, OrderService] })
export class AppModule {
  /** `cluster`: the brokers are nodes of one cluster. */
  static on(urls: readonly string[], cluster: boolean): DynamicModule {
    // The timeline tells what happens; in an app of yours, leave the logger on.
    return {
      module: AppModule,
      imports: [FailoverModule.forRoot({ urls, cluster, logger: false })],
    };
  }
}
