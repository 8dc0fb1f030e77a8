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

// One after the other: tests of orders of events and of durations do not share two cores with what loads them.
const quick: Options = { sequence: { groupOrder: 0 } };

// Real brokers are started once for a run and killed by its tests, so those files run one after the other.
const realBrokers: Options = {
  globalSetup: ['./test/kit/global-setup.rabbitmq.ts'],
  fileParallelism: false,
  testTimeout: 60_000,
  hookTimeout: 180_000,
  sequence: { groupOrder: 1 },
};

// Stories of `rabbitmq` that need nothing that only RabbitMQ has: told on memory brokers as well, in seconds.
const onBothEngines = [
  'bad-brokers',
  'close-hung',
  'consumer-bad-handlers',
  'ensure-channel-closed',
  'ensure-connection-cut',
  'ensure-own-errors',
  'ensure-revive-cut',
  'guide-*',
  'outage',
  'publish-refused',
  'publish-stalled',
  'topology-empty-broker',
  'topology-mismatch',
  'waiters',
];

// As above; each test is a fault under load and takes up to minutes. Not part of `npm test`.
const faults: Options = { ...realBrokers, testTimeout: 240_000 };

// Packs, installs from the registry and starts other versions of Node.
const installs: Options = {
  fileParallelism: false,
  testTimeout: 60_000,
  hookTimeout: 300_000,
  sequence: { groupOrder: 2 },
};

const inLib = (file: string): string => new URL(`./lib/${file}`, import.meta.url).pathname;

export default defineConfig({
  resolve: {
    // The first that fits is taken, and the shorter one would fit both.
    alias: [
      { find: 'nestjs-failover/testing', replacement: inLib('testing/index.ts') },
      { find: 'nestjs-failover', replacement: inLib('index.ts') },
    ],
  },
  // Explicit, so that metadata is emitted for files outside tsconfig "include" as well.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: {
    projects: [
      project('policy', ['test/policy/**/*.spec.ts'], quick),
      project('amqp', ['test/amqp/**/*.spec.ts'], quick),
      project('contract', ['test/contract/**/*.spec.ts'], quick),
      project('failover', ['test/failover/**/*.spec.ts'], quick),
      project('serialization', ['test/serialization/**/*.spec.ts'], quick),
      project('nest', ['test/nest/unit/**/*.spec.ts'], quick),
      project('memory', ['test/memory/**/*.spec.ts'], quick),
      project('interop', ['test/interop/**/*.spec.ts'], quick),
      project('kit', ['test/kit/**/*.spec.ts'], quick),
      project('lint', ['test/lint/**/*.spec.ts'], quick),
      project('rabbitmq', ['test/rabbitmq/**/*.spec.ts', 'test/nest/**/*.spec.ts'], {
        ...realBrokers,
        exclude: ['test/nest/unit/**'],
      }),
      project('scenarios', ['test/scenarios/**/*.spec.ts'], quick),
      project(
        'embedded',
        onBothEngines.map((story) => `test/rabbitmq/${story}.spec.ts`),
        { ...quick, env: { ENGINE: 'memory' }, testTimeout: 60_000 },
      ),
      project('conformance', ['test/conformance/**/*.spec.ts'], realBrokers),
      project('faults', ['test/faults/**/*.spec.ts'], faults),
      project('package', ['test/package/**/*.spec.ts'], installs),
    ],
  },
});
