import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { PublishError } from '../../lib/errors.js';
import { isPublishError } from '../../lib/errors.js';
import type { PublishReceipt } from '../../lib/failover/outbox-entry.js';
import type { PublishedChannel, PublishingSetting, Sent } from './fakes/publishing.js';
import { publishingSetting } from './fakes/publishing.js';

/** What the cluster does with a publish when it gets to it. */
type Verdict = 'take' | 'nack' | 'return';

interface Published {
  readonly number: number;
  readonly key: string;
  readonly controller: AbortController;
  seen: { outcome: string; value?: PublishReceipt; error?: unknown };
  /** How often it was taken, nacked, given back. */
  readonly fates: Verdict[];
}

/** One cluster behind brokers `a` and `b`: it works off each channel in order, and answers in any. */
class Cluster {
  readonly #unread = new Map<PublishedChannel, Sent[]>();
  readonly #unanswered = new Map<PublishedChannel, { sent: Sent; verdict: Verdict }[]>();
  readonly published = new Map<string, Published>();
  /** In the order in which they were taken, first deliveries only. */
  readonly delivered: Published[] = [];

  read(sent: Sent): void {
    this.#unread.set(sent.on, [...(this.#unread.get(sent.on) ?? []), sent]);
  }

  channels(): PublishedChannel[] {
    return [...this.#unread.keys()].filter(({ open }) => open);
  }

  /** Works off one publish of a channel. */
  work(on: PublishedChannel, verdict: Verdict): void {
    const sent = this.#unread.get(on)?.shift();
    if (sent === undefined || !on.open) return;
    if (sent.routingKey === 'missing') return void on.fake.closeBy(404);
    const publish = this.published.get(String(sent.properties.messageId));
    if (publish === undefined) throw new Error('a message that nobody has published');
    if (verdict === 'take' && !publish.fates.includes('take')) this.delivered.push(publish);
    publish.fates.push(verdict);
    if (verdict === 'return') on.return(sent.tag);
    this.#unanswered.set(on, [...(this.#unanswered.get(on) ?? []), { sent, verdict }]);
  }

  /** Answers one of what was worked off, or with `multiple` all up to the first that has another answer. */
  answer(on: PublishedChannel, index: number, multiple: boolean): void {
    const waiting = this.#unanswered.get(on) ?? [];
    if (waiting.length === 0 || !on.open) return;
    if (!multiple) {
      const [one] = waiting.splice(index % waiting.length, 1);
      if (one?.verdict === 'nack') on.nack(one.sent.tag);
      else if (one !== undefined) on.ack(one.sent.tag);
      return;
    }
    waiting.sort((one, other) => one.sent.tag - other.sent.tag);
    const nack = waiting[0]?.verdict === 'nack';
    const end = waiting.findIndex(({ verdict }) => (verdict === 'nack') !== nack);
    const same = waiting.splice(0, end === -1 ? waiting.length : end);
    const last = same.at(-1)?.sent.tag ?? 0;
    if (nack) on.nack(last, true);
    else on.ack(last, true);
  }

  workAll(on: PublishedChannel): void {
    while (on.open && (this.#unread.get(on)?.length ?? 0) > 0) this.work(on, 'take');
    while (on.open && (this.#unanswered.get(on)?.length ?? 0) > 0) this.answer(on, 0, false);
  }
}

const KEYS = ['x', 'y', 'z', 'missing'] as const;

type Step = (setting: PublishingSetting, cluster: Cluster) => Promise<void> | void;

const publishOptions = fc.record(
  {
    timeout: fc.constantFrom(500, 60_000),
    republish: fc.constant(false),
    retry: fc.constant(false),
    maxRetries: fc.constantFrom(0, 1, 5),
  },
  { requiredKeys: [] },
);

const publishStep = fc
  .record({
    keys: fc.array(fc.constantFrom('x', 'x', 'x', 'x', 'y', 'y', 'z', 'missing'), {
      minLength: 1,
      maxLength: 6,
    }),
    options: fc.oneof(
      { weight: 3, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: publishOptions },
    ),
  })
  .map(({ keys, options }): Step & { label: string } => {
    const step: Step = (setting, { published }) => {
      for (const key of keys) {
        const number = published.size + 1;
        const controller = new AbortController();
        const messageId = String(number);
        const seen = setting.publish(key, { ...options, messageId, signal: controller.signal });
        published.set(messageId, { number, key, controller, seen, fates: [] });
      }
    };
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
      for (let n = 0; on !== undefined && n <= times; n += 1) cluster.answer(on, index, multiple);
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

/** Whether what a publish says of itself is what happened to it. */
function check({ number, key, seen, fates }: Published, sent: readonly Sent[]): void {
  const times = sent.filter(({ properties }) => properties.messageId === String(number)).length;
  const taken = fates.includes('take');
  const { outcome, code } = (seen.error ?? {}) as PublishError;
  const what = `${number} (${key}) ${seen.outcome} ${outcome ?? ''} after ${fates.join()}`;
  if (seen.outcome === 'resolved') {
    expect(taken, what).toBe(true);
    expect(seen.value?.attempts, what).toBe(times);
    return;
  }
  expect(isPublishError(seen.error), what).toBe(true);
  if (outcome === 'not-sent') expect(times, what).toBe(0);
  if (outcome === 'returned') expect(fates, what).toContain('return');
  if (outcome === 'nacked') expect([taken, fates.includes('nack')], what).toEqual([false, true]);
  if (outcome === 'refused') expect([key, code], what).toEqual(['missing', 404]);
  if (outcome === 'unknown') expect(times, what).toBeGreaterThan(0);
}

/** First deliveries of each key, but for what was nacked, are in the order of the publishes. */
function checkOrder({ delivered }: Cluster): void {
  for (const key of KEYS) {
    const numbers = delivered
      .filter((publish) => publish.key === key && !publish.fates.includes('nack'))
      .map(({ number }) => number);
    expect(numbers, key).toEqual(numbers.toSorted((a, b) => a - b));
  }
}

it('settles every publish once with the truth, and keeps the order of each queue, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(1, 3, 2_000), async (program, window) => {
      const cluster = new Cluster();
      const setting = publishingSetting({
        connection: { livedAfter: 1, logger: false },
        producer: { window, nackRetries: 3 },
        broker: (sent) => cluster.read(sent),
      });
      for (const step of program) {
        await step(setting, cluster);
        await setting.settle();
      }
      const all = [...cluster.published.values()];
      const patient = all.filter(({ seen }) => seen.outcome === 'pending');
      faults['brokers live']?.(setting, cluster);
      for (let round = 0; round < 300; round += 1) {
        setting.transport.live.at(-1)?.block(undefined);
        for (const on of cluster.channels()) cluster.workAll(on);
        await setting.clock.advance(40);
        if (patient.every(({ seen }) => seen.outcome !== 'pending')) break;
      }
      for (const publish of all) {
        expect(publish.seen.outcome, `${publish.number}`).not.toBe('pending');
        check(publish, setting.sent);
      }
      checkOrder(cluster);
      await setting.close();
      await setting.connection.close();
      await setting.settle();
      expect(setting.clock.pending, 'timers left').toBe(0);
    }),
    { numRuns: Number(process.env['PUBLISH_MODEL_RUNS'] ?? 150) },
  );
}, 120_000);
