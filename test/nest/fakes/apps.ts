import 'reflect-metadata';
import type { INestApplicationContext, ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { TestingModule, TestingModuleBuilder } from '@nestjs/testing';
import { onTestFinished } from 'vitest';
import { FailoverModule } from '../../../lib/failover.module.js';
import { getConnectionToken } from '../../../lib/failover.tokens.js';
import { FailoverConnection } from '../../../lib/failover/failover-connection.js';
import { RESOLVED_MODULE_OPTIONS } from '../../../lib/failover.constants.js';
import type { FailoverModuleOptions } from '../../../lib/interfaces/failover-module-options.interface.js';
import type { ResolvedModuleOptions } from '../../../lib/module-options.js';
import { FakeBrokers } from './fake-brokers.js';

export const quiet = {
  urls: 'amqp://a;amqp://b',
  logger: false,
  connectionName: 'app',
  jitter: 0,
  intervalStart: 5,
  intervalStep: 0,
} as const satisfies FailoverModuleOptions;

/** Puts fake brokers under the connection of that name. */
export const onFakes = (
  builder: TestingModuleBuilder,
  brokers: FakeBrokers,
  name?: string,
): TestingModuleBuilder =>
  builder.overrideProvider(getConnectionToken(name)).useFactory({
    factory: ({ connection }: ResolvedModuleOptions) =>
      new FailoverConnection(connection, { transport: brokers }),
    inject: [RESOLVED_MODULE_OPTIONS],
  });

/** Nest 11 rejects here with the failure of a start, which the test has seen already. */
export function closeLater(app: INestApplicationContext): void {
  onTestFinished(() => app.close().catch(() => undefined));
}

/** Runs the start of an app; without a value, as an app in a failed expectation is printed in full. */
export async function initialise(app: TestingModule): Promise<void> {
  await app.init();
}

/** An app with one connection on fake brokers, not started. */
export async function compileApp(
  { imports = [], ...metadata }: ModuleMetadata = {},
  options: Partial<FailoverModuleOptions> = {},
  brokers = new FakeBrokers(),
): Promise<{ app: TestingModule; brokers: FakeBrokers }> {
  const builder = Test.createTestingModule({
    imports: [FailoverModule.forRoot({ ...quiet, ...options }), ...imports],
    ...metadata,
  });
  const app = await onFakes(builder, brokers).compile();
  closeLater(app);
  return { app, brokers };
}

/** The same, started. */
export async function startApp(
  ...args: Parameters<typeof compileApp>
): Promise<{ app: TestingModule; brokers: FakeBrokers }> {
  const started = await compileApp(...args);
  await started.app.init();
  return started;
}
