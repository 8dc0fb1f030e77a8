import { defineConfig } from 'vitest/config';
import type { TestProjectInlineConfiguration } from 'vitest/config';

type Options = NonNullable<TestProjectInlineConfiguration['test']>;

const project = (
  name: string,
  include: readonly string[],
  options: Options = {},
): TestProjectInlineConfiguration => ({
  extends: true,
  test: { name, include: [...include], ...options },
});

// Real brokers are started once for a run and killed by its tests, so those files run one after the other.
const realBrokers: Options = {
  globalSetup: ['./test/kit/global-setup.rabbitmq.ts'],
  fileParallelism: false,
  testTimeout: 60_000,
  hookTimeout: 180_000,
};

export default defineConfig({
  resolve: { alias: { 'nestjs-failover': new URL('./lib/index.ts', import.meta.url).pathname } },
  // Explicit, so that metadata is emitted for files outside tsconfig "include" as well.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: {
    projects: [
      project('policy', ['test/policy/**/*.spec.ts']),
      project('amqp', ['test/amqp/**/*.spec.ts']),
      project('contract', ['test/contract/**/*.spec.ts']),
      project('failover', ['test/failover/**/*.spec.ts']),
      project('kit', ['test/kit/**/*.spec.ts']),
      project('rabbitmq', ['test/rabbitmq/**/*.spec.ts', 'test/nest/**/*.spec.ts'], realBrokers),
    ],
  },
});
