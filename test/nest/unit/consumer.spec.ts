import {
  Body,
  createParamDecorator,
  Inject,
  Injectable,
  Module,
  ParseIntPipe,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import type {
  CallHandler,
  CanActivate,
  ExceptionFilter,
  ExecutionContext,
  NestInterceptor,
  PipeTransform,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import type { Observable } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { Queue } from '../../../lib/amqp/queue.js';
import { Consumer } from '../../../lib/decorators/consumer.decorator.js';
import { OnMessage } from '../../../lib/decorators/on-message.decorator.js';
import { ConfigurationError } from '../../../lib/errors.js';
import { FailoverModule } from '../../../lib/failover.module.js';
import { getConnectionToken } from '../../../lib/failover.tokens.js';
import { overlappingRoutes } from '../../../lib/consumer.messages.js';
import { Message } from '../../../lib/failover/message.js';
import {
  handlerWithoutConsumer,
  noConsumerOptions,
  hooksNeedOneInstance,
  noHandler,
  noQueues,
  unknownConnection,
} from '../../../lib/nest.messages.js';
import { closeLater, compileApp, onFakes, quiet, startApp, initialise } from '../fakes/apps.js';
import { FakeBrokers } from '../fakes/fake-brokers.js';

const orders = new Queue('orders');
const { waitFor } = vi;

const settled = (brokers: FakeBrokers, ...expected: string[]) =>
  waitFor(() => expect(brokers.settled.toSorted()).toEqual(expected));

describe('@Consumer', () => {
  it('consumes its queues, on a connection of its own, with its dependencies injected', async () => {
    @Injectable()
    class Store {
      readonly seen: unknown[] = [];
    }
    @Consumer({ queues: [orders] })
    class OrderConsumer {
      constructor(@Inject(Store) private readonly store: Store) {}
      @OnMessage()
      async onOrder(order: unknown, message: Message) {
        this.store.seen.push([order, message.deliveryInfo.routingKey]);
      }
    }
    const { app, brokers } = await startApp({ providers: [OrderConsumer, Store] });
    brokers.deliver('orders', { id: 1 });
    await settled(brokers, 'ack 1');
    expect(app.get(Store).seen).toEqual([[{ id: 1 }, 'orders']]);
    expect(brokers.open.map(({ options }) => options.connectionName)).toEqual([
      'app (producer)',
      'app (consumer)',
    ]);
    const [consumer] = brokers.consumers.values();
    expect(consumer?.on).toBe(brokers.connectionOf('consumer'));
  });

  it('has no connection without consumers', async () => {
    const { brokers } = await startApp();
    expect(brokers.connections).toHaveLength(1);
  });

  it('is found in any module, with a handler that is inherited, several of one class name', async () => {
    const seen: unknown[] = [];
    abstract class Base {
      @OnMessage()
      handle(body: unknown): void {
        seen.push([this.constructor.name, body]);
      }
    }
    const make = (queue: string) => {
      @Consumer({ queues: [new Queue(queue)] })
      class Same extends Base {}
      return Same;
    };
    @Module({ providers: [make('two')] })
    class FeatureModule {}
    const { brokers } = await startApp({ imports: [FeatureModule], providers: [make('one')] });
    brokers.deliver('one', 1);
    brokers.deliver('two', 2);
    await waitFor(() => expect(seen).toHaveLength(2));
    expect(seen).toEqual([
      ['Same', 1],
      ['Same', 2],
    ]);
  });

  it('is found once when an alias or a second token gives the same instance', async () => {
    @Consumer({ queues: [orders] })
    class OrderConsumer {
      @OnMessage()
      handle(): void {}
    }
    const { brokers } = await startApp({
      providers: [
        OrderConsumer,
        { provide: 'ALIAS', useExisting: OrderConsumer },
        { provide: 'SAME', useFactory: (one: OrderConsumer) => one, inject: [OrderConsumer] },
      ],
    });
    expect(brokers.consumers.size).toBe(1);
  });

  it('is found where a factory makes it', async () => {
    @Consumer({ queues: [orders] })
    class OrderConsumer {
      constructor(readonly seen: unknown[]) {}
      @OnMessage()
      handle(body: unknown): void {
        this.seen.push(body);
      }
    }
    const seen: unknown[] = [];
    const { brokers } = await startApp({
      providers: [{ provide: 'MADE', useFactory: () => new OrderConsumer(seen) }],
    });
    brokers.deliver('orders', 3);
    await settled(brokers, 'ack 1');
    expect(seen).toEqual([3]);
  });

  it('needs only the connection that it names, whatever its base class names', async () => {
    const seen: unknown[] = [];
    @Consumer({ queues: [orders], connection: 'elsewhere' })
    class Base {
      @OnMessage()
      handle(body: unknown): void {
        seen.push(body);
      }
    }
    @Consumer({ queues: [orders], connection: 'audit' })
    class Derived extends Base {}
    const brokers = new FakeBrokers();
    const builder = Test.createTestingModule({
      imports: [FailoverModule.forRoot({ ...quiet, name: 'audit' })],
      providers: [Derived],
    });
    const app = await onFakes(builder, brokers, 'audit').compile();
    closeLater(app);
    await app.init();
    brokers.deliver('orders', 5);
    await settled(brokers, 'ack 1');
    expect(seen).toEqual([5]);
  });

  it('can be made in a unit test without FailoverModule, on a double of the connection', async () => {
    @Consumer({ queues: [orders] })
    class OrderConsumer {
      @OnMessage()
      handle(body: unknown): unknown {
        return body;
      }
    }
    const app = await Test.createTestingModule({
      providers: [OrderConsumer, { provide: getConnectionToken(), useValue: {} }],
    }).compile();
    closeLater(app);
    expect(app.get(OrderConsumer).handle(1)).toBe(1);
  });

  it('calls its hooks on the instance', async () => {
    @Consumer({ queues: [orders] })
    class OrderConsumer {
      readonly told: string[] = [];
      @OnMessage()
      handle(): void {}
      onConnectionRevived(): void {
        this.told.push('revived');
      }
      onConsumeReady(): void {
        this.told.push('ready');
      }
      onConsumeEnd(reason: string): void {
        this.told.push(reason);
      }
    }
    const { app } = await startApp({ providers: [OrderConsumer] });
    const { told } = app.get(OrderConsumer);
    await app.close();
    expect(told).toEqual(['revived', 'ready', 'stopped']);
  });

  it('has an instance for each message with Scope.REQUEST, and REQUEST is the message', async () => {
    const instances = new Set<unknown>();
    const requests: unknown[] = [];
    @Consumer({ queues: [orders], scope: Scope.REQUEST })
    class OrderConsumer {
      constructor(@Inject(REQUEST) private readonly request: unknown) {}
      @OnMessage()
      handle(_body: unknown, message: Message): void {
        instances.add(this);
        requests.push(this.request === message && message instanceof Message);
      }
    }
    const { brokers } = await startApp({ providers: [OrderConsumer] });
    brokers.deliver('orders', 1);
    brokers.deliver('orders', 2);
    await settled(brokers, 'ack 1', 'ack 2');
    expect([instances.size, requests]).toEqual([2, [true, true]]);
  });

  it('works when only a dependency is request-scoped, and when it is transient itself', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Unit {}
    const units = new Set<unknown>();
    @Consumer({ queues: [orders] })
    class OrderConsumer {
      constructor(@Inject(Unit) private readonly unit: Unit) {}
      @OnMessage()
      handle(): void {
        units.add(this.unit);
      }
    }
    const transients: unknown[] = [];
    @Consumer({ queues: [new Queue('bills')], scope: Scope.TRANSIENT })
    class BillConsumer {
      readonly constructed = true;
      @OnMessage()
      handle(): void {
        transients.push(this.constructed);
      }
    }
    const { brokers } = await startApp({ providers: [OrderConsumer, BillConsumer, Unit] });
    brokers.deliver('orders', 1);
    brokers.deliver('orders', 2);
    brokers.deliver('bills', 3);
    await settled(brokers, 'ack 1', 'ack 2', 'ack 3');
    expect([units.size, transients]).toEqual([2, [true]]);
  });

  describe('is refused at start', () => {
    const refusal = async (...providers: (new () => unknown)[]): Promise<string> => {
      const { app, brokers } = await compileApp({ providers });
      const error: Error = await initialise(app).then(
        () => new Error('it started'),
        (caught: Error) => caught,
      );
      expect(brokers.connections).toEqual([]);
      return error.message;
    };

    it('without a handler', async () => {
      @Consumer({ queues: [orders] })
      class Idle {}
      await expect(refusal(Idle)).resolves.toBe(noHandler('Idle'));
    });

    it('with two handlers that take the same messages', async () => {
      @Consumer({ queues: [orders] })
      class Busy {
        @OnMessage()
        one(): void {}
        @OnMessage()
        two(): void {}
      }
      await expect(refusal(Busy)).resolves.toBe(overlappingRoutes('Busy', 'one', 'two'));
    });

    it('without queues', async () => {
      @Consumer({ queues: [] })
      class Empty {
        @OnMessage()
        handle(): void {}
      }
      await expect(refusal(Empty)).resolves.toBe(noQueues('Empty', ['handle']));
    });

    it('with an option that there is not', async () => {
      @Consumer({ queues: [orders], prefetch: 5 } as { queues: Queue[] })
      class Misspelt {
        @OnMessage()
        handle(): void {}
      }
      await expect(refusal(Misspelt)).resolves.toContain('Misspelt has no option "prefetch"');
    });

    it('when a class has handlers but is no consumer, be it that its base class is one', async () => {
      @Injectable()
      class Plain {
        @OnMessage()
        handle(): void {}
      }
      await expect(refusal(Plain)).resolves.toBe(handlerWithoutConsumer('Plain', ['handle']));
      @Consumer({ queues: [orders] })
      class Base {
        @OnMessage()
        handle(): void {}
      }
      @Injectable()
      class Derived extends Base {}
      await expect(refusal(Derived)).resolves.toBe(handlerWithoutConsumer('Derived', ['handle']));
    });

    it('with a connection that there is not: by Nest, and where Nest does not make it, by us', async () => {
      @Consumer({ queues: [orders], connection: 'audit' })
      class Lost {
        @OnMessage()
        handle(): void {}
      }
      await expect(compileApp({ providers: [Lost] })).rejects.toThrow('FailoverConnection_audit');
      const { app } = await compileApp({
        providers: [{ provide: 'MADE', useFactory: () => new Lost() }],
      });
      await expect(initialise(app)).rejects.toThrow(
        unknownConnection('audit', '@Consumer class Lost', ['default']),
      );
    });

    it('without options, when the class is defined', () => {
      for (const options of [undefined, null, 'orders']) {
        expect(() => Consumer(options as never)(class Bare {})).toThrow(
          new ConfigurationError(noConsumerOptions('Bare', options)),
        );
      }
    });

    it.each([Scope.DEFAULT, Scope.REQUEST, Scope.TRANSIENT])(
      'without FailoverModule, by Nest, which names the connection (scope %s)',
      async (scope) => {
        @Consumer({ queues: [orders], scope })
        class Silent {
          @OnMessage()
          handle(): void {}
        }
        @Consumer({ queues: [orders], connection: 'audit', scope })
        class Named extends Silent {}
        const start = async (type: new () => unknown): Promise<void> => {
          const app = await Test.createTestingModule({ providers: [type] }).compile();
          closeLater(app);
        };
        await expect(start(Silent)).rejects.toThrow(
          /dependencies of the Silent.*If FailoverConnection is a provider/su,
        );
        await expect(start(Named)).rejects.toThrow(
          /dependencies of the Named.*If "FailoverConnection_audit" is a provider/su,
        );
      },
    );

    it('in a module that does not see the connection', async () => {
      @Consumer({ queues: [orders] })
      class Apart {
        @OnMessage()
        handle(): void {}
      }
      @Module({ providers: [Apart] })
      class FeatureModule {}
      await expect(compileApp({ imports: [FeatureModule] }, { isGlobal: false })).rejects.toThrow(
        'FailoverConnection',
      );
    });

    it('with hooks, when each message has its own instance', async () => {
      @Consumer({ queues: [orders], scope: Scope.REQUEST })
      class Hooked {
        @OnMessage()
        handle(): void {}
        onConsumeReady(): void {}
      }
      await expect(refusal(Hooked)).resolves.toBe(
        hooksNeedOneInstance('Hooked', ['onConsumeReady']),
      );
    });
  });
});

describe('enhancers of a handler', () => {
  const ran: string[] = [];

  @Injectable()
  class Guard implements CanActivate {
    canActivate(context: ExecutionContext): boolean {
      const [body, message] = context.getArgs<[number, Message]>();
      ran.push(`guard ${context.getType()} ${context.getClass().name} ${body}`);
      return body < 100 && message instanceof Message;
    }
  }
  class Interceptor implements NestInterceptor {
    intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
      ran.push('interceptor');
      return next.handle();
    }
  }
  class Double implements PipeTransform {
    transform(value: number): number {
      return value * 2;
    }
  }
  class Forgive implements ExceptionFilter {
    catch(error: Error): string {
      ran.push(`filter ${error.message}`);
      return 'handled';
    }
  }
  class Never implements CanActivate {
    canActivate(): boolean {
      throw new Error('an app-wide guard ran');
    }
  }

  it('run where they are bound to it or its class; those of the app do not', async () => {
    ran.length = 0;
    @UseGuards(Guard)
    @Consumer({ queues: [orders] })
    class OrderConsumer {
      @UseInterceptors(new Interceptor())
      @UsePipes(new Double())
      @UseFilters(new Forgive())
      @OnMessage()
      handle(body: number, message: Message): void {
        ran.push(`handler ${body} ${message.state}`);
      }
    }
    const { brokers } = await startApp({
      providers: [OrderConsumer, { provide: APP_GUARD, useValue: new Never() }],
    });
    brokers.deliver('orders', 4);
    await settled(brokers, 'ack 1');
    expect(ran).toEqual(['guard failover OrderConsumer 4', 'interceptor', 'handler 8 received']);
    brokers.deliver('orders', 400);
    await settled(brokers, 'ack 1', 'ack 2');
    expect(ran.at(-1)).toBe('filter Forbidden resource');
  });

  it('of the app run as well for a consumer that inherits its config, with or without any of its own', async () => {
    ran.length = 0;
    @Consumer({ queues: [orders], inheritAppConfig: true })
    class OrderConsumer {
      @OnMessage()
      handle(body: number): void {
        ran.push(`handler ${body}`);
        if (body > 10) throw new Error('too many');
      }
    }
    const { brokers } = await startApp({
      providers: [
        OrderConsumer,
        { provide: APP_GUARD, useClass: Guard },
        { provide: APP_INTERCEPTOR, useValue: new Interceptor() },
        { provide: APP_PIPE, useValue: new Double() },
        { provide: APP_FILTER, useValue: new Forgive() },
      ],
    });
    brokers.deliver('orders', 4);
    await settled(brokers, 'ack 1');
    expect(ran).toEqual(['guard failover OrderConsumer 4', 'interceptor', 'handler 8']);
    brokers.deliver('orders', 40);
    await settled(brokers, 'ack 1', 'ack 2');
    expect(ran.slice(-2)).toEqual(['handler 80', 'filter too many']);
  });

  it('run on the instance of a message, with parameter decorators and their pipes', async () => {
    const Key = createParamDecorator(
      (_data: unknown, context: ExecutionContext) =>
        context.getArgByIndex<Message>(1).deliveryInfo.routingKey,
    );
    const seen: unknown[] = [];
    @Consumer({ queues: [orders], scope: Scope.REQUEST })
    class OrderConsumer {
      @OnMessage()
      handle(@Body('id', ParseIntPipe) id: number, message: Message, @Key() key: string): void {
        seen.push([id, message instanceof Message, key]);
      }
    }
    const { brokers } = await startApp({ providers: [OrderConsumer] });
    brokers.deliver('orders', { id: '12' });
    await settled(brokers, 'ack 1');
    expect(seen).toEqual([[12, true, 'orders']]);
  });
});
