import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Verdict } from './fakes/modelled-cluster.js';
import { ModelledCluster, firstDeliveries, lies } from './fakes/modelled-cluster.js';
import type { PublishOptions } from '../../lib/failover/publish-options.js';
import type { PublishingSetting } from './fakes/publishing.js';
import { publishingSetting } from './fakes/publishing.js';

type Step = (setting: PublishingSetting, cluster: ModelledCluster) => Promise<void> | void;

/** One exchange is never there, one comes and goes. */
const exchangeOf = (key: string): string => (['missing', 'fleeting'].includes(key) ? key : '');

const publishOptions = fc.record(
  {
    timeout: fc.constantFrom(500, 60_000),
    republish: fc.constant(false),
    retry: fc.constant(false),
    maxRetries: fc.constantFrom(0, 1, 5),
  },
  { requiredKeys: [] },
);

const publishing =
  (keys: readonly string[], options: PublishOptions): Step =>
  (setting, { published }) => {
    for (const key of keys) {
      const number = published.size + 1;
      const controller = new AbortController();
      const messageId = String(number);
      const { signal } = controller;
      const how = { ...options, messageId, signal, exchange: exchangeOf(key) };
      const seen = setting.publish(key, how);
      published.set(messageId, { number, key, options, controller, seen, fates: [], answers: 0 });
    }
  };

const publishStep = fc
  .record({
    keys: fc.array(
      fc.constantFrom('x', 'x', 'x', 'x', 'y', 'y', 'z', 'missing', 'poison', 'fleeting'),
      {
        minLength: 1,
        maxLength: 6,
      },
    ),
    options: fc.oneof(
      { weight: 3, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: publishOptions },
    ),
  })
  .map(({ keys, options }): Step & { label: string } => {
    const step = publishing(keys, options);
    return Object.assign(step, { label: `publish ${keys.join()} ${JSON.stringify(options)}` });
  });

const workStep = fc
  .record({
    channel: fc.nat(3),
    verdicts: fc.array(fc.constantFrom<Verdict>('take', 'take', 'take', 'nack', 'return'), {
      minLength: 1,
      maxLength: 6,
    }),
  })
  .map(({ channel, verdicts }): Step & { label: string } => {
    const step: Step = (_, cluster) => {
      const channels = cluster.channels();
      const on = channels[channel % Math.max(1, channels.length)];
      if (on !== undefined) for (const verdict of verdicts) cluster.work(on, verdict);
    };
    return Object.assign(step, { label: `work ${channel} ${verdicts.join()}` });
  });

const answerStep = fc
  .record({ channel: fc.nat(3), index: fc.nat(10), multiple: fc.boolean(), times: fc.nat(6) })
  .map(({ channel, index, multiple, times }): Step & { label: string } => {
    const step: Step = (_, cluster) => {
      const channels = cluster.channels();
      const on = channels[channel % Math.max(1, channels.length)];
      if (on === undefined) return;
      for (let n = 0; n <= times; n += 1) cluster.answer(on, index, multiple);
    };
    return Object.assign(step, { label: `answer ${channel} ${index} ${multiple} ${times}` });
  });

const faults: Record<string, Step> = {
  'lose the connection': ({ transport }) => void transport.live.at(-1)?.drop(),
  'lose the channel': (_, cluster) => void cluster.channels().at(-1)?.fake.closeBy(541),
  'lose the first channel': (_, cluster) => void cluster.channels()[0]?.fake.closeBy(),
  block: ({ transport }) => transport.live.at(-1)?.block('memory'),
  unblock: ({ transport }) => transport.live.at(-1)?.block(undefined),
  'brokers die': ({ transport }) => {
    transport.brokers['a'] = transport.brokers['b'] = 'dead';
    transport.live.at(-1)?.drop();
  },
  'brokers live': ({ transport }) => {
    transport.brokers['a'] = transport.brokers['b'] = 'up';
  },
  'the exchange goes': (_, { exchanges }) => void exchanges.delete('fleeting'),
  'the exchange comes': (_, { exchanges }) => void exchanges.add('fleeting'),
  'repeat an answer': (_, cluster) => cluster.channels().at(-1)?.ack(99_999),
};

const faultStep = fc
  .constantFrom(...Object.keys(faults))
  .map((label): Step & { label: string } =>
    Object.assign((...args: Parameters<Step>) => faults[label]?.(...args), { label }),
  );

const abortStep = fc.nat(30).map((number): Step & { label: string } => {
  const step: Step = (_, { published }) => {
    [...published.values()][number % Math.max(1, published.size)]?.controller.abort();
  };
  return Object.assign(step, { label: `abort ${number}` });
});

const timeStep = fc.constantFrom(1, 50, 150, 600, 11_000).map((ms): Step & { label: string } =>
  Object.assign((setting: PublishingSetting) => setting.clock.advance(ms), {
    label: `advance ${ms}`,
  }),
);

const steps = fc.array(
  fc
    .oneof(
      { weight: 8, arbitrary: publishStep },
      { weight: 5, arbitrary: workStep },
      { weight: 5, arbitrary: answerStep },
      { weight: 2, arbitrary: faultStep },
      { weight: 1, arbitrary: abortStep },
      { weight: 3, arbitrary: timeStep },
    )
    .map((step) => Object.assign(step, { [fc.toStringMethod]: () => step.label })),
  { minLength: 1, maxLength: 60, size: 'max' },
);

it('settles every publish once with the truth, and keeps the order of each queue, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.constantFrom(1, 3, 2_000),
      fc.constantFrom(0, 1, 4),
      async (program, window, nackRetries) => {
        const cluster = new ModelledCluster();
        const setting = publishingSetting({
          connection: { livedAfter: 1, logger: false },
          producer: { window, nackRetries },
          broker: (sent) => cluster.read(sent),
        });
        // What was never used before it went is taken for never there.
        cluster.exchanges.add('fleeting');
        await publishing(['fleeting'], {})(setting, cluster);
        await setting.settle();
        for (const on of cluster.channels()) cluster.workAll(on);
        for (const step of program) {
          await step(setting, cluster);
          await setting.settle();
        }
        const all = [...cluster.published.values()];
        await faults['brokers live']?.(setting, cluster);
        for (let round = 0; round < 300; round += 1) {
          setting.transport.live.at(-1)?.block(undefined);
          for (const on of cluster.channels()) cluster.workAll(on);
          await setting.clock.advance(40);
          if (all.every(({ seen }) => seen.outcome !== 'pending')) break;
        }
        const { sent } = setting;
        expect(all.flatMap((publish) => lies(publish, sent))).toEqual([]);
        expect(setting.producer.pending).toEqual({ messages: 0, bytes: 0 });
        for (const numbers of firstDeliveries(cluster)) {
          expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
        }
        await setting.close();
        await setting.connection.close();
        await setting.settle();
        expect(setting.clock.pending, 'timers left').toBe(0);
      },
    ),
    { numRuns: Number(process.env['PUBLISH_MODEL_RUNS'] ?? 150) },
  );
}, 120_000);
