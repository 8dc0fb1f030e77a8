import { onTestFinished } from 'vitest';
import type {
  ConsumerDefinition,
  FailoverConnection,
  ProducerOptions,
  PublishError,
  PublishOptions,
} from 'nestjs-failover';
import { ConsumerLoop, Exchange, Producer, Queue } from 'nestjs-failover';
import { until } from '../kit/rabbitmq/index.js';
import { printRow } from '../kit/print-row.js';
import { figuresOf } from './figures.js';
import type { Figures, InFlight } from './figures.js';
import { Ledger } from './ledger.js';
import type { Numbered } from './ledger.js';

export const orders = new Exchange('orders', { type: 'topic' });

const bound = { exchange: orders, routingKey: 'order.created' };

/** Replicated, and without a limit that a campaign of failovers could reach. */
export const quorumQueue = new Queue('orders.created', {
  ...bound,
  type: 'quorum',
  deliveryLimit: 1_000,
});

export const classicQueue = new Queue('orders.created', bound);

export interface WorkloadOptions {
  /** One producer on each. */
  readonly publishers: readonly FailoverConnection[];
  /** One consumer on each. */
  readonly consumers: readonly FailoverConnection[];
  readonly queue: Queue;
  /** Publishes a second, of all producers together. */
  readonly rate: number;
  readonly producer?: ProducerOptions;
  readonly consumer?: Partial<ConsumerDefinition>;
  /** How the nth publish of a producer differs. */
  readonly publish?: (id: Numbered) => PublishOptions;
  /** What a handler does after its message was counted. */
  readonly work?: (id: Numbered) => unknown;
  /** Added to each body. */
  readonly payload?: string;
}

// More than a consumer takes at this rate between two acks, and well below its broker's default limit.
export const PREFETCH = 100;

/** Publishes numbered ids at a rate and consumes them; all of it ends with the test. */
export class Workload {
  readonly ledger = new Ledger();
  readonly producers: readonly Producer[];
  readonly consumers: readonly ConsumerLoop[];
  readonly inFlight: InFlight = { publishes: 0, deliveries: 0 };
  /** Why each session of a consumer ended. */
  readonly ends: string[] = [];
  readonly #numbers: number[];
  readonly #unsettled: number[];
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly options: WorkloadOptions) {
    const { publishers, consumers, queue, consumer = {} } = options;
    const { prefetchCount = PREFETCH } = consumer;
    this.producers = publishers.map((connection) => new Producer(connection, options.producer));
    this.#numbers = publishers.map(() => 0);
    this.#unsettled = publishers.map(() => 0);
    this.consumers = consumers.map(
      (connection, index) =>
        new ConsumerLoop(connection, {
          name: `Orders ${index}`,
          queues: [queue],
          prefetchCount,
          handle: (body, message) => {
            this.ledger.deliver(body as Numbered, message);
            return options.work?.(body as Numbered);
          },
          hooks: {
            onConsumeEnd: (reason) => {
              this.inFlight.deliveries += prefetchCount;
              this.ends.push(reason);
            },
          },
          ...consumer,
        }),
    );
    for (const [index, connection] of publishers.entries()) {
      connection.on('lost', () => (this.inFlight.publishes += this.#unsettled[index] ?? 0));
    }
  }

  /** Consumes, has had one publish of each producer confirmed, and then publishes on and on. */
  async start(): Promise<void> {
    const { publishers, queue, rate } = this.options;
    for (const connection of publishers) await connection.declare(queue);
    await Promise.all(this.consumers.map((consumer) => consumer.start()));
    const { length } = this.producers;
    for (let producer = 0; producer < length; producer += 1) this.#publish(producer);
    await until('the first confirms', () => this.ledger.pending === 0, 30_000);
    this.ledger.longestGap = 0;
    const begun = performance.now();
    let sent = 0;
    this.#timer = setInterval(() => {
      const due = ((performance.now() - begun) * rate) / 1_000;
      for (; sent < due; sent += 1) this.#publish(sent % length);
    }, 5);
  }

  /** No more is published from now on. */
  stopPublishing(): void {
    clearInterval(this.#timer);
  }

  publishSome(count: number): void {
    for (let i = 0; i < count; i += 1) this.#publish(i % this.producers.length);
  }

  /** Waits until so many more publishes are confirmed than now. */
  async moreConfirmed(count: number, deadline = 60_000): Promise<void> {
    const { size } = this.ledger.confirmed;
    await until(
      `${count} more confirms`,
      () => this.ledger.confirmed.size >= size + count,
      deadline,
      () => this.#standing(),
    );
  }

  async moreHandled(count: number, deadline = 60_000): Promise<void> {
    const { size } = this.ledger.handled;
    await until(
      `${count} more handled`,
      () => this.ledger.handled.size >= size + count,
      deadline,
      () => this.#standing(),
    );
  }

  /** Publishes no more, and waits until every publish has settled. */
  async settled(deadline = 60_000): Promise<void> {
    this.stopPublishing();
    await until(
      'every publish settles',
      () => this.ledger.pending === 0,
      deadline,
      () => this.#standing(),
    );
  }

  /** Waits until all that was confirmed has been handled; what is not after `deadline` ms is missing. */
  async handled(deadline = 30_000): Promise<void> {
    const all = until('all handled', () => this.ledger.missing().length === 0, deadline);
    await all.catch(() => undefined);
  }

  /** Prints the row. */
  row(name: string, found?: ReadonlySet<string>): Figures {
    const figures = figuresOf(this.ledger, this.inFlight, found);
    // Several consumers share a queue in no order.
    const order = this.consumers.length > 1 ? { 'order ok': 'n/a' } : {};
    printRow(name, { ...figures, ...order, 'consuming ended': this.#endings() });
    return figures;
  }

  async close(): Promise<void> {
    this.stopPublishing();
    await Promise.all([
      ...this.consumers.map((consumer) => consumer.stop({ timeout: 2_000 })),
      ...this.producers.map((producer) => producer.close({ timeout: 500 })),
    ]);
  }

  #publish(producer: number): void {
    const n = this.#numbers[producer] ?? 0;
    this.#numbers[producer] = n + 1;
    const id = { producer, n };
    const { payload, publish } = this.options;
    const begun = performance.now();
    this.ledger.published += 1;
    this.#count(producer, 1);
    const body = payload === undefined ? id : { ...id, payload };
    this.producers[producer]?.publish(body, { ...bound, ...publish?.(id) }).then(
      () => {
        this.#count(producer, -1);
        this.ledger.confirm(id);
      },
      (error: PublishError) => {
        this.#count(producer, -1);
        this.ledger.reject(id, error, performance.now() - begun);
      },
    );
  }

  /** Why, and how often. */
  #endings(): string {
    const counts = new Map<string, number>();
    for (const reason of this.ends) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    return [...counts].map(([reason, count]) => `${reason} ${count}`).join('+') || 'never';
  }

  #count(producer: number, change: number): void {
    this.#unsettled[producer] = (this.#unsettled[producer] ?? 0) + change;
  }

  #standing(): string {
    const { ledger, consumers } = this;
    const states = consumers.map(({ state }) => state.status).join();
    const { rejections } = ledger;
    return `(${ledger.confirmed.size} of ${ledger.published} confirmed, ${rejections.length} rejected, ${ledger.handled.size} handled, consumers ${states}) ${ledger.firstError?.message ?? ''}`;
  }
}

export function useWorkload(options: WorkloadOptions): Workload {
  const workload = new Workload(options);
  onTestFinished(() => workload.close());
  return workload;
}
