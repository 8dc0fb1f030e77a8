import { Inject, Injectable } from '@nestjs/common';
import type {
  BeforeApplicationShutdown,
  OnApplicationBootstrap,
  OnModuleDestroy,
  OnModuleInit,
} from '@nestjs/common';
import { describe, expect, it, vi } from 'vitest';
import { Queue } from '../../../lib/amqp/queue.js';
import { Consumer } from '../../../lib/decorators/consumer.decorator.js';
import { OnMessage } from '../../../lib/decorators/on-message.decorator.js';
import { ConsumerRegistry } from '../../../lib/consumer.registry.js';
import type { OperationalError } from '../../../lib/errors.js';
import { FailoverConnection } from '../../../lib/failover/failover-connection.js';
import type { PublishReceipt } from '../../../lib/failover/outbox-entry.js';
import { Producer } from '../../../lib/failover/producer.js';
import { consumerFailed, startupTimedOut } from '../../../lib/nest.messages.js';
import { compileApp, initialise, startApp } from '../fakes/apps.js';
import { FakeBrokers } from '../fakes/fake-brokers.js';

const orders = new Queue('orders');

@Consumer({ queues: [orders] })
class OrderConsumer {
  running: Promise<void> = Promise.resolve();
  @OnMessage()
  handle(): Promise<void> {
    return this.running;
  }
}

@Consumer({ queues: [new Queue('missing', { noDeclare: true })] })
class MissingConsumer {
  @OnMessage()
  handle(): void {}
}

const withoutMissing = (): FakeBrokers => {
  const brokers = new FakeBrokers();
  brokers.refusals.set('missing', 404);
  return brokers;
};

const recordErrors = () => {
  const errors: string[] = [];
  const error = (message: string) => errors.push(message);
  return { errors, logger: { log: () => undefined, warn: () => undefined, error } };
};

const downBrokers = (reason: 'unreachable' | 'refused' = 'unreachable'): FakeBrokers => {
  const brokers = new FakeBrokers();
  for (const host of ['a', 'b']) brokers.down.set(host, reason);
  return brokers;
};

const failureOf = (starting: Promise<unknown>): Promise<OperationalError> =>
  starting.then(
    () => Promise.reject(new Error('it started')),
    (error: OperationalError) => error,
  );

describe('startup: wait', () => {
  it('is done when connected, declared and consuming', async () => {
    const { app, brokers } = await startApp({ providers: [OrderConsumer] });
    expect(app.get(FailoverConnection).state.status).toBe('connected');
    expect(brokers.declared).toContain('orders');
    expect(brokers.consumers.size).toBe(1);
  });

  it('connects before the modules of the app are initialised, so that they can publish', async () => {
    @Injectable()
    class Seeds implements OnModuleInit {
      receipt: PublishReceipt | undefined;
      constructor(@Inject(Producer) private readonly producer: Producer) {}
      async onModuleInit(): Promise<void> {
        this.receipt = await this.producer.publish('seed', { routingKey: 'orders' });
      }
    }
    const { app } = await startApp({ providers: [Seeds] });
    expect(app.get(Seeds).receipt).toMatchObject({ attempts: 1 });
  });

  it('waits for a broker that comes up meanwhile', async () => {
    const brokers = downBrokers();
    const { app } = await compileApp({ providers: [OrderConsumer] }, {}, brokers);
    const started = initialise(app);
    await vi.waitFor(() => expect(brokers.dials.length).toBeGreaterThan(3));
    brokers.down.clear();
    await started;
    expect(brokers.consumers.size).toBe(1);
  });

  it('fails after startupTimeout with each broker and its reason, and leaves nothing open', async () => {
    const brokers = downBrokers();
    const { app } = await compileApp(
      { providers: [OrderConsumer] },
      { startupTimeout: 60 },
      brokers,
    );
    const error = await failureOf(initialise(app));
    const { failures, attempts } = error;
    expect(failures.map(({ error: { message } }) => message).toSorted()).toEqual([
      'a is unreachable',
      'b is unreachable',
    ]);
    expect(error.message).toBe(
      startupTimedOut('default', 60, attempts, failures, ['OrderConsumer'], 'connecting'),
    );
    expect(app.get(FailoverConnection).state.status).toBe('closed');
    expect(brokers.open).toEqual([]);
  });

  it('fails at once when every broker refuses', async () => {
    const { app } = await compileApp({}, {}, downBrokers('refused'));
    const error = await failureOf(initialise(app));
    expect(error.failures).toHaveLength(2);
    expect(app.get(FailoverConnection).state.status).toBe('closed');
  });

  it('fails at once on a mismatch, names the queue, and closes what was opened', async () => {
    const brokers = new FakeBrokers();
    brokers.refusals.set('orders', 406);
    const { app } = await compileApp({ providers: [OrderConsumer] }, {}, brokers);
    await expect(initialise(app)).rejects.toMatchObject({ name: 'TopologyError', code: 406 });
    expect(brokers.open).toEqual([]);
  });

  it('tries again where time may mend it, and tells of it when it did not', async () => {
    const brokers = new FakeBrokers();
    brokers.refusals.set('orders', 403);
    const { app } = await compileApp(
      { providers: [OrderConsumer] },
      { startupTimeout: 2_000 },
      brokers,
    );
    const started = initialise(app);
    await vi.waitFor(() => expect(brokers.connections).toHaveLength(2));
    brokers.refusals.clear();
    await started;
    expect(brokers.consumers.size).toBe(1);

    const refusing = new FakeBrokers();
    refusing.refusals.set('orders', 403);
    const other = await compileApp({}, { startupTimeout: 60, declare: [orders] }, refusing);
    await expect(initialise(other.app)).rejects.toThrow('topology: ');
  });

  it('says which consumers do not consume and why, not that no broker has answered', async () => {
    const { app } = await compileApp(
      { providers: [OrderConsumer, MissingConsumer] },
      { startupTimeout: 60 },
      withoutMissing(),
    );
    const { message } = await failureOf(initialise(app));
    const waiting = ["MissingConsumer (404 for 'missing')"];
    expect(message).toBe(startupTimedOut('default', 60, 0, [], waiting, 'consuming'));
    expect(message).not.toContain('No broker');
  });

  it('waits for a queue that is not there yet', async () => {
    const brokers = withoutMissing();
    const { errors, logger } = recordErrors();
    const { app } = await compileApp({ providers: [MissingConsumer] }, { logger }, brokers);
    const started = initialise(app);
    await vi.waitFor(() => expect(errors).toHaveLength(1));
    brokers.refusals.clear();
    await started;
    expect(brokers.consumers.size).toBe(1);
  });
});

describe('startup: fail-fast', () => {
  it('tries each broker once', async () => {
    const brokers = downBrokers();
    const { app } = await compileApp({}, { startup: 'fail-fast' }, brokers);
    const error = await failureOf(initialise(app));
    expect(brokers.dials).toEqual(['a', 'b']);
    expect(error.failures).toHaveLength(2);
  });

  it('takes the second broker when the first is down', async () => {
    const brokers = new FakeBrokers();
    brokers.down.set('a', 'unreachable');
    await startApp({ providers: [OrderConsumer] }, { startup: 'fail-fast' }, brokers);
    expect(brokers.consumers.size).toBe(1);
  });

  it('does not try again what the broker refuses to declare', async () => {
    const brokers = new FakeBrokers();
    brokers.refusals.set('orders', 403);
    const { app } = await compileApp(
      { providers: [OrderConsumer] },
      { startup: 'fail-fast' },
      brokers,
    );
    await expect(initialise(app)).rejects.toMatchObject({ name: 'TopologyError', code: 403 });
  });

  it('fails at once when a consumer cannot consume, and logs which one', async () => {
    const { errors, logger } = recordErrors();
    const brokers = withoutMissing();
    const options = { startup: 'fail-fast', logger } as const;
    const { app } = await compileApp(
      { providers: [OrderConsumer, MissingConsumer] },
      options,
      brokers,
    );
    await expect(initialise(app)).rejects.toMatchObject({ name: 'AmqpError', code: 404 });
    expect(errors).toEqual([consumerFailed('MissingConsumer', "404 for 'missing'")]);
    expect(brokers.open).toEqual([]);
  });

  it('lets consumers go on for ever once they have consumed', async () => {
    const { app, brokers } = await startApp(
      { providers: [MissingConsumer] },
      { startup: 'fail-fast' },
    );
    brokers.refusals.set('missing', 404);
    const [consumer] = app.get(ConsumerRegistry).consumers;
    brokers.connectionOf('consumer').destroy(new Error('broker died'));
    await vi.waitFor(() => expect(consumer?.lastError).toMatchObject({ code: 404 }), 3_000);
    brokers.refusals.clear();
    await vi.waitFor(() => expect(consumer?.state.status).toBe('consuming'), 3_000);
  });
});

describe('startup: background', () => {
  it('blocks nothing, and is up when a broker is, whatever they said before', async () => {
    const brokers = downBrokers('refused');
    await startApp(
      { providers: [OrderConsumer] },
      { startup: 'background', refusedInterval: 5 },
      brokers,
    );
    expect(brokers.open).toEqual([]);
    await vi.waitFor(() => expect(brokers.dials.length).toBeGreaterThan(3));
    brokers.down.clear();
    await vi.waitFor(() => expect(brokers.consumers.size).toBe(1));
  });

  it('declares when it is connected at last, be it that every broker refused at first', async () => {
    const brokers = downBrokers('refused');
    const options = { startup: 'background', refusedInterval: 5, declare: [orders] } as const;
    await startApp({}, options, brokers);
    await vi.waitFor(() => expect(brokers.dials.length).toBeGreaterThan(3));
    brokers.down.clear();
    await vi.waitFor(() => expect(brokers.declared).toEqual(['orders']));
  });

  it('logs a mismatch, as there is nobody to tell it to, and declares when it is mended', async () => {
    const brokers = new FakeBrokers();
    brokers.refusals.set('orders', 406);
    const { errors, logger } = recordErrors();
    await startApp({}, { startup: 'background', declare: [orders], logger }, brokers);
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(1));
    expect(errors[0]).toContain("406 for 'orders'");
    expect(errors[0]).toContain('Trying again in');
    brokers.refusals.clear();
    await vi.waitFor(() => expect(brokers.declared).toEqual(['orders']));
  });

  it('has a consumer consume when a mismatch is mended, whatever it was told before', async () => {
    const brokers = new FakeBrokers();
    brokers.refusals.set('orders', 406);
    const { app } = await startApp(
      { providers: [OrderConsumer] },
      { startup: 'background' },
      brokers,
    );
    const consumer = app.get(ConsumerRegistry).get(OrderConsumer);
    const refused = { name: 'TopologyError', code: 406 };
    await vi.waitFor(() => expect(consumer.lastError).toMatchObject(refused));
    brokers.refusals.clear();
    await vi.waitFor(() => expect(consumer.state.status).toBe('consuming'), 3_000);
  });

  it('does not keep a consumer waiting for what others want declared', async () => {
    const brokers = new FakeBrokers();
    brokers.refusals.set('forbidden', 403);
    const options = { startup: 'background', declare: [new Queue('forbidden')] } as const;
    await startApp({ providers: [OrderConsumer] }, options, brokers);
    await vi.waitFor(() => expect(brokers.consumers.size).toBe(1));
  });

  it('is abandoned by a shutdown, without a word', async () => {
    const { errors, logger } = recordErrors();
    const options = { startup: 'background', logger } as const;
    const { app, brokers } = await startApp({}, options, downBrokers());
    await app.close();
    expect(errors).toEqual([]);
    const { length } = brokers.dials;
    brokers.down.clear();
    await new Promise((resolve) => setImmediate(resolve));
    expect(brokers.dials).toHaveLength(length);
  });
});

describe('shutdown', () => {
  it('waits for running handlers, and flushes their acks', async () => {
    const { app, brokers } = await startApp({ providers: [OrderConsumer] });
    let finish = (): void => undefined;
    app.get(OrderConsumer).running = new Promise((resolve) => (finish = resolve));
    brokers.deliver('orders', 1);
    const closed = app.close();
    await vi.waitFor(() => expect(brokers.consumers.size).toBe(0));
    expect(brokers.settled).toEqual([]);
    finish();
    await closed;
    expect(brokers.settled).toEqual(['ack 1']);
    expect(brokers.open).toEqual([]);
  });

  it('ends within shutdownTimeout when a handler does not', async () => {
    const { app, brokers } = await startApp(
      { providers: [OrderConsumer] },
      { shutdownTimeout: 2_050 },
    );
    app.get(OrderConsumer).running = new Promise(() => undefined);
    brokers.deliver('orders', 1);
    const begin = performance.now();
    await app.close();
    expect(performance.now() - begin).toBeLessThan(2_050);
    expect([brokers.settled, brokers.open]).toEqual([[], []]);
  });

  it('comes after onModuleDestroy of the app, and before beforeApplicationShutdown', async () => {
    const seen: string[] = [];
    const { app, brokers } = await compileApp({
      providers: [
        OrderConsumer,
        {
          provide: 'POOL',
          useFactory: (): OnModuleInit &
            OnApplicationBootstrap &
            OnModuleDestroy &
            BeforeApplicationShutdown => ({
            onModuleInit: () => note('init'),
            onApplicationBootstrap: () => note('bootstrap'),
            onModuleDestroy: () => note('destroy'),
            beforeApplicationShutdown: () => note('before shutdown'),
          }),
        },
      ],
    });
    const note = (hook: string): void => {
      seen.push(`${hook}: ${brokers.consumers.size} consuming, ${brokers.settled.length} acked`);
    };
    await app.init();
    let finish = (): void => undefined;
    app.get(OrderConsumer).running = new Promise((resolve) => (finish = resolve));
    brokers.deliver('orders', 1);
    const closed = app.close();
    await vi.waitFor(() => expect(brokers.consumers.size).toBe(0));
    finish();
    await closed;
    expect(seen).toEqual([
      'init: 0 consuming, 0 acked',
      'bootstrap: 1 consuming, 0 acked',
      'destroy: 1 consuming, 0 acked',
      'before shutdown: 0 consuming, 1 acked',
    ]);
  });

  it('lets others publish until the very end, and then says not-sent', async () => {
    @Injectable()
    class Farewell implements OnModuleDestroy, BeforeApplicationShutdown {
      readonly receipts: PublishReceipt[] = [];
      constructor(@Inject(Producer) private readonly producer: Producer) {}
      async onModuleDestroy(): Promise<void> {
        await this.say('bye');
      }
      async beforeApplicationShutdown(): Promise<void> {
        await this.say('bye bye');
      }
      private async say(words: string): Promise<void> {
        // The test closes its app once more when it is finished.
        if (this.receipts.length === 2) return;
        this.receipts.push(await this.producer.publish(words, { routingKey: 'orders' }));
      }
    }
    const { app, brokers } = await startApp({ providers: [Farewell, OrderConsumer] });
    await app.close();
    expect(brokers.published.map(({ content }) => content)).toEqual(['"bye"', '"bye bye"']);
    await expect(app.get(Producer).publish('late', { routingKey: 'q' })).rejects.toMatchObject({
      outcome: 'not-sent',
    });
  });

  it('can be asked for twice, and before anything was started', async () => {
    const { app } = await startApp({ providers: [OrderConsumer] });
    await Promise.all([app.close(), app.close()]);
    const never = await compileApp({ providers: [OrderConsumer] });
    await never.app.close();
    expect(never.brokers.connections).toEqual([]);
  });
});
