import { inspect } from 'node:util';
import { Inject, Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { Exchange } from '../../../lib/amqp/exchange.js';
import { Queue } from '../../../lib/amqp/queue.js';
import { InjectConnection } from '../../../lib/decorators/inject-connection.decorator.js';
import { InjectProducer } from '../../../lib/decorators/inject-producer.decorator.js';
import { ConfigurationError } from '../../../lib/errors.js';
import { FailoverModule } from '../../../lib/failover.module.js';
import { getConnectionToken, getProducerToken } from '../../../lib/failover.tokens.js';
import { FailoverConnection } from '../../../lib/failover/failover-connection.js';
import { Producer } from '../../../lib/failover/producer.js';
import type { FailoverOptionsFactory } from '../../../lib/interfaces/failover-module-options.interface.js';
import {
  duplicateConnection,
  nameBesideFactory,
  noAsyncOptions,
  noOptions,
  notFailoverEntities,
  unknownConnection,
} from '../../../lib/nest.messages.js';
import { closeLater, compileApp, onFakes, quiet, startApp, initialise } from '../fakes/apps.js';
import { FakeBrokers } from '../fakes/fake-brokers.js';

const compile = (...imports: Parameters<typeof Test.createTestingModule>[0]['imports'] & object) =>
  Test.createTestingModule({ imports }).compile();

describe('FailoverModule.forRoot', () => {
  it('injects the connection and its producer by class, in every module', async () => {
    @Injectable()
    class Service {
      constructor(
        @Inject(FailoverConnection) readonly rabbit: FailoverConnection,
        @Inject(Producer) readonly producer: Producer,
      ) {}
    }
    @Module({ providers: [Service] })
    class FeatureModule {}
    const { app, brokers } = await startApp({ imports: [FeatureModule] });
    const { rabbit, producer } = app.get(Service, { strict: false });
    expect(rabbit.state.status).toBe('connected');
    await expect(producer.publish('hi', { routingKey: 'q' })).resolves.toMatchObject({
      attempts: 1,
    });
    expect(brokers.published.map(({ on }) => on)).toEqual([brokers.connectionOf('producer')]);
  });

  it('keeps several connections apart by their names', async () => {
    @Injectable()
    class Service {
      constructor(
        @InjectConnection() readonly orders: FailoverConnection,
        @InjectConnection('audit') readonly audit: FailoverConnection,
        @InjectProducer('audit') readonly auditor: Producer,
      ) {}
    }
    const builder = Test.createTestingModule({
      imports: [
        FailoverModule.forRoot({ ...quiet, urls: 'amqp://a' }),
        FailoverModule.forRoot({ ...quiet, urls: 'amqp://x', name: 'audit' }),
      ],
      providers: [Service],
    });
    const [own, audit] = [new FakeBrokers(), new FakeBrokers()];
    const app = await onFakes(onFakes(builder, own), audit, 'audit').compile();
    closeLater(app);
    await app.init();
    const service = app.get(Service);
    expect([own.dials, audit.dials]).toEqual([['a'], ['x']]);
    expect(service.orders.info().connectionName).toBe('app (producer)');
    expect(service.audit.info().connectionName).toBe('app (audit producer)');
    await service.auditor.publish('hi', { routingKey: 'q' });
    expect([own.published.length, audit.published.length]).toEqual([0, 1]);
  });

  it('refuses two connections of one name', async () => {
    const twice = () => FailoverModule.forRoot({ ...quiet });
    await expect(compile(twice(), twice())).rejects.toThrow(duplicateConnection('default'));
    const named = () => FailoverModule.forRoot({ ...quiet, name: 'audit' });
    await expect(compile(named(), named())).rejects.toThrow(duplicateConnection('audit'));
  });

  it('takes one and the same module twice for one', async () => {
    const once = FailoverModule.forRoot({ ...quiet });
    @Module({ imports: [once] })
    class FeatureModule {}
    const app = await compile(once, FeatureModule);
    closeLater(app);
    expect(app.get(FailoverConnection)).toBeInstanceOf(FailoverConnection);
  });

  it('refuses unknown options by name, and values that are not allowed', async () => {
    const misspelt = { ...quiet, shutdownTimout: 5 } as typeof quiet;
    await expect(compile(FailoverModule.forRoot(misspelt))).rejects.toThrow(
      'FailoverModule has no option "shutdownTimout"',
    );
    const inProducer = { ...quiet, name: 'audit', producer: { windw: 3 } as object };
    await expect(compile(FailoverModule.forRoot(inProducer))).rejects.toThrow(
      'FailoverModule "audit": producer has no option "windw"',
    );
    await expect(
      compile(FailoverModule.forRoot({ ...quiet, startup: 'later' as 'wait' })),
    ).rejects.toThrow(`FailoverModule: startup is "later"; allowed: 'wait'`);
  });

  it('is seen only by modules that import it with isGlobal: false', async () => {
    @Injectable()
    class Service {
      constructor(@Inject(FailoverConnection) readonly rabbit: FailoverConnection) {}
    }
    @Module({ providers: [Service] })
    class FeatureModule {}
    const local = FailoverModule.forRoot({ ...quiet, isGlobal: false });
    await expect(compile(local, FeatureModule)).rejects.toThrow('FailoverConnection');
  });

  it('says what is missing when it is given nothing', () => {
    for (const options of [undefined, null, 'amqp://a']) {
      expect(() => FailoverModule.forRoot(options as never)).toThrow(
        new ConfigurationError(noOptions('default', options)),
      );
      expect(() => FailoverModule.forRootAsync(options as never)).toThrow(
        new ConfigurationError(noAsyncOptions()),
      );
    }
  });

  it('shows no password to whoever prints it', () => {
    const module = FailoverModule.forRoot({ urls: ['amqp://me:hush@a'] });
    expect(inspect(module, { depth: null, showHidden: true })).not.toContain('hush');
    expect(JSON.stringify(module)).not.toContain('hush');
  });

  it('keeps two apps of one process apart', async () => {
    const [one, two] = await Promise.all([startApp(), startApp()]);
    expect(one.app.get(FailoverConnection)).not.toBe(two.app.get(FailoverConnection));
    await one.app.close();
    expect(two.app.get(FailoverConnection).state.status).toBe('connected');
  });

  it('lets a test replace connection and producer by doubles, and leaves those alone', async () => {
    const published: unknown[] = [];
    const app = await Test.createTestingModule({ imports: [FailoverModule.forRoot(quiet)] })
      .overrideProvider(getConnectionToken())
      .useValue({})
      .overrideProvider(getProducerToken())
      .useValue({ publish: async (body: unknown) => published.push(body) })
      .compile();
    await app.init();
    await app.get(Producer).publish('hi');
    await app.close();
    expect(published).toEqual(['hi']);
  });
});

describe('FailoverModule.forRootAsync', () => {
  @Injectable()
  class Settings implements FailoverOptionsFactory {
    readonly urls = 'amqp://from-settings';
    createFailoverOptions() {
      return { ...quiet, urls: this.urls };
    }
  }
  @Module({ providers: [Settings], exports: [Settings] })
  class SettingsModule {}

  const dialled = async (module: ReturnType<typeof FailoverModule.forRootAsync>, name?: string) => {
    const brokers = new FakeBrokers();
    const builder = Test.createTestingModule({ imports: [module] });
    const app = await onFakes(builder, brokers, name).compile();
    closeLater(app);
    await app.init();
    return brokers.dials;
  };

  it('takes its options from a factory', async () => {
    const module = FailoverModule.forRootAsync({
      name: 'audit',
      imports: [SettingsModule],
      inject: [Settings, 'PORT'],
      extraProviders: [{ provide: 'PORT', useValue: 5 }],
      useFactory: async ({ urls }: Settings, port: number) => ({
        ...quiet,
        urls: `${urls}:${port}`,
      }),
    });
    await expect(dialled(module, 'audit')).resolves.toEqual(['from-settings']);
  });

  it('takes them from a class of its own, or from one that exists', async () => {
    const own = FailoverModule.forRootAsync({ useClass: Settings });
    await expect(dialled(own)).resolves.toEqual(['from-settings']);
    const existing = FailoverModule.forRootAsync({
      imports: [SettingsModule],
      useExisting: Settings,
    });
    await expect(dialled(existing)).resolves.toEqual(['from-settings']);
  });

  it('says where the name belongs, and what is missing', async () => {
    const inside = FailoverModule.forRootAsync({
      useFactory: () => ({ ...quiet, name: 'audit' }),
    });
    await expect(compile(inside)).rejects.toThrow(nameBesideFactory('name'));
    expect(() => FailoverModule.forRootAsync({})).toThrow(noAsyncOptions());
    const nothing = FailoverModule.forRootAsync({ useFactory: () => undefined as never });
    await expect(compile(nothing)).rejects.toThrow(noOptions('default', undefined));
  });
});

describe('FailoverModule.forFeature', () => {
  const events = new Exchange('events', { type: 'topic' });
  const audit = new Queue('audit', { exchange: events, routingKey: '#' });

  it('has the entities of a module declared at start and after each failover', async () => {
    const { app, brokers } = await startApp(
      { imports: [FailoverModule.forFeature([audit])] },
      { declare: [new Queue('base')] },
    );
    expect(new Set(brokers.declared)).toEqual(new Set(['audit', 'base', 'events']));
    const rabbit = app.get(FailoverConnection);
    expect(rabbit.parts.topology.entities.map(String).toSorted()).toEqual([
      'queue "audit"',
      'queue "base"',
    ]);
  });

  it('is safe to repeat', async () => {
    const { brokers } = await startApp({
      imports: [FailoverModule.forFeature([audit]), FailoverModule.forFeature([audit])],
    });
    expect(new Set(brokers.declared)).toEqual(new Set(['audit', 'events']));
  });

  it('refuses what is no entity, and one that is declared twice, and differently', async () => {
    const one = 'audit' as unknown as Queue[];
    expect(() => FailoverModule.forFeature(one)).toThrow(notFailoverEntities('audit'));
    const { app } = await compileApp({
      imports: [
        FailoverModule.forFeature([audit]),
        FailoverModule.forFeature([new Queue('audit', { durable: false })]),
      ],
    });
    await expect(initialise(app)).rejects.toThrow(
      'queue "audit" is declared twice, and differently',
    );
  });

  it('says at start which connection it does not find', async () => {
    const { app } = await compileApp({ imports: [FailoverModule.forFeature([audit], 'audit')] });
    await expect(initialise(app)).rejects.toThrow(
      unknownConnection('audit', 'FailoverModule.forFeature', ['default']),
    );
  });
});
