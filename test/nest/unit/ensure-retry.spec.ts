import { Inject, Injectable, Scope, SetMetadata } from '@nestjs/common';
import { ContextIdFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { concat, defer, lastValueFrom, Observable, of, throwError, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Channel } from '../../../lib/amqp/channel.js';
import { EnsureRetry } from '../../../lib/decorators/ensure-retry.decorator.js';
import { liveChannel, RetryChannel } from '../../../lib/decorators/retry-channel.decorator.js';
import { FailoverModule } from '../../../lib/failover.module.js';
import { FailoverConnection } from '../../../lib/failover/failover-connection.js';
import {
  channelNotAsked,
  channelNotFilledIn,
  manyRetryChannels,
  noConnectionInjected,
  noRetryChannel,
  returnsNeither,
  staticEnsureRetry,
  unknownConnection,
} from '../../../lib/nest.messages.js';
import { compileApp, closeLater, onFakes, quiet, startApp, initialise } from '../fakes/apps.js';
import { FakeBrokers } from '../fakes/fake-brokers.js';

/** Fails by the loss of its connection, as often as asked. */
async function loseConnection(
  connection: FailoverConnection,
  brokers: FakeBrokers,
): Promise<never> {
  const channel = await connection.defaultChannel();
  brokers.connectionOf('producer').destroy(new Error('broker died'));
  throw channel.loss ?? new Error('the channel lives on');
}

@Injectable()
class Reports {
  brokers: FakeBrokers | undefined;
  losses = 0;
  runs: unknown[][] = [];
  told: unknown[] = [];

  constructor(@Inject(FailoverConnection) readonly rabbit: FailoverConnection) {}

  @EnsureRetry({
    errback(this: Reports) {
      this.told.push('errback');
    },
    onRevive(this: Reports) {
      this.told.push('revived');
    },
  })
  async send(first: string, second: number): Promise<string> {
    this.runs.push([first, second]);
    if (this.losses > 0) {
      this.losses -= 1;
      await loseConnection(this.rabbit, this.brokers!);
    }
    return `${first}${second}`;
  }

  @EnsureRetry()
  async fail(): Promise<void> {
    this.runs.push([]);
    throw new TypeError('my own');
  }

  @EnsureRetry()
  watch(): Observable<number> {
    this.runs.push([]);
    return defer(() => {
      if (this.losses === 0) return of(1, 2);
      this.losses -= 1;
      return defer(() => loseConnection(this.rabbit, this.brokers!));
    });
  }

  @EnsureRetry()
  halfway(): Observable<number> {
    this.runs.push([]);
    return concat(
      of(1),
      defer(() => loseConnection(this.rabbit, this.brokers!)),
    );
  }
}

async function reports(losses = 0) {
  const { app, brokers } = await startApp({ providers: [Reports] });
  const service = app.get(Reports);
  service.brokers = brokers;
  service.losses = losses;
  return { app, brokers, service };
}

describe('@EnsureRetry', () => {
  it('runs the method again on the next broker, with this and arguments kept', async () => {
    const { service, brokers } = await reports(2);
    await expect(service.send('a', 7)).resolves.toBe('a7');
    expect(service.runs).toEqual([
      ['a', 7],
      ['a', 7],
      ['a', 7],
    ]);
    expect(brokers.dials).toEqual(['a', 'b', 'a']);
  });

  it('calls errback and onRevive on the instance', async () => {
    const { service } = await reports(1);
    await service.send('a', 7);
    expect(service.told).toContain('errback');
    expect(service.told).toContain('revived');
  });

  it('passes an error of the caller through, untouched', async () => {
    const { service } = await reports();
    await expect(service.fail()).rejects.toThrow(new TypeError('my own'));
    expect(service.runs).toHaveLength(1);
  });

  it('gives up after maxRetries', async () => {
    @Injectable()
    class Fragile {
      runs = 0;
      constructor(@Inject(FailoverConnection) readonly rabbit: FailoverConnection) {}
      @EnsureRetry({ maxRetries: 1 })
      async send(brokers: FakeBrokers): Promise<void> {
        this.runs += 1;
        await loseConnection(this.rabbit, brokers);
      }
    }
    const { app, brokers } = await startApp({ providers: [Fragile] });
    await expect(app.get(Fragile).send(brokers)).rejects.toThrow('Gave up "Fragile.send"');
    expect(app.get(Fragile).runs).toBe(2);
  });

  it('counts an error that is thrown before there is a promise as a failed run', async () => {
    @Injectable()
    class Sudden {
      runs = 0;
      @EnsureRetry({ retryErrors: [RangeError] })
      send(): Promise<number> {
        this.runs += 1;
        if (this.runs === 1) throw new RangeError('not yet');
        return Promise.resolve(this.runs);
      }
    }
    const { app } = await startApp({ providers: [Sudden] });
    await expect(app.get(Sudden).send()).resolves.toBe(2);
  });

  it('subscribes an Observable again before its first value', async () => {
    const { service } = await reports(2);
    await expect(lastValueFrom(service.watch().pipe(toArray()))).resolves.toEqual([1, 2]);
    expect(service.runs).toHaveLength(3);
  });

  it('passes an error of an Observable through after its first value', async () => {
    const { service } = await reports();
    const values: number[] = [];
    const failed = new Promise((resolve) => {
      service.halfway().subscribe({ next: (value) => values.push(value), error: resolve });
    });
    await expect(failed).resolves.toMatchObject({ message: 'broker died' });
    expect(values).toEqual([1]);
    expect(service.runs).toHaveLength(1);
  });

  it('stops running an Observable again when its subscriber has left', async () => {
    const { service, brokers } = await reports();
    for (const host of ['a', 'b']) brokers.down.set(host, 'unreachable');
    service.losses = 1;
    let told = 0;
    const subscription = service
      .watch()
      .subscribe({ next: () => (told += 1), error: () => (told += 1) });
    subscription.unsubscribe();
    brokers.down.clear();
    await service.rabbit.ensureConnection();
    expect([told, service.runs.length]).toEqual([0, 1]);
  });

  it('keeps metadata, name and length, whatever the order of decorators', async () => {
    @Injectable()
    class Decorated {
      @SetMetadata('outer', 1)
      @EnsureRetry()
      @SetMetadata('inner', 2)
      async send(_one: string, _two: string): Promise<void> {}
    }
    const { send } = Decorated.prototype;
    expect([Reflect.getMetadata('outer', send), Reflect.getMetadata('inner', send)]).toEqual([
      1, 2,
    ]);
    expect([send.name, send.length]).toEqual(['send', 2]);
  });

  it('works on request-scoped and transient providers, and in subclasses', async () => {
    class Base {
      constructor(@Inject(FailoverConnection) readonly rabbit: FailoverConnection) {}
      @EnsureRetry()
      async send(brokers: FakeBrokers, losses: { left: number }): Promise<this> {
        if (losses.left > 0) {
          losses.left -= 1;
          await loseConnection(this.rabbit, brokers);
        }
        return this;
      }
    }
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest extends Base {
      @EnsureRetry()
      async other(): Promise<void> {}
    }
    @Injectable({ scope: Scope.TRANSIENT })
    class Transient extends Base {}
    const { app, brokers } = await startApp({ providers: [PerRequest, Transient] });
    for (const type of [PerRequest, Transient]) {
      const service = await app.resolve(type, ContextIdFactory.create());
      await expect(service.send(brokers, { left: 1 })).resolves.toBe(service);
    }
  });

  it('uses the connections that it names, two in one class', async () => {
    @Injectable()
    class Both {
      constructor(@Inject(FailoverConnection) readonly rabbit: FailoverConnection) {}
      @EnsureRetry({ maxRetries: 1 })
      async own(): Promise<number> {
        return 1;
      }
      // A loss on the other connection is no fault that this one could mend.
      @EnsureRetry({ connection: 'audit' })
      async foreign(brokers: FakeBrokers): Promise<void> {
        await loseConnection(this.rabbit, brokers);
      }
    }
    const brokers = new FakeBrokers();
    const builder = Test.createTestingModule({
      imports: [
        FailoverModule.forRoot(quiet),
        FailoverModule.forRoot({ ...quiet, name: 'audit', connectionName: 'other' }),
      ],
      providers: [Both],
    });
    const app = await onFakes(onFakes(builder, brokers), new FakeBrokers(), 'audit').compile();
    closeLater(app);
    await app.init();
    await expect(app.get(Both).own()).resolves.toBe(1);
    await expect(app.get(Both).foreign(brokers)).rejects.toThrow('broker died');
  });

  it('is given its connection at start where Nest does not make the instance', async () => {
    const made = Object.create(Reports.prototype, {}) as Reports;
    const { app } = await startApp({
      providers: [
        { provide: 'VALUE', useValue: Object.assign(made, { runs: [], losses: 0 }) },
        {
          provide: 'FACTORY',
          useFactory: (rabbit: FailoverConnection) => new Reports(rabbit),
          inject: [FailoverConnection],
        },
      ],
    });
    for (const token of ['VALUE', 'FACTORY']) {
      await expect(app.get<Reports>(token).send('a', 1)).resolves.toBe('a1');
    }
    expect(Object.keys(made)).toEqual(['runs', 'losses']);
  });

  it('refuses an instance without a connection, with the remedy', async () => {
    const lonely = new Reports({} as FailoverConnection);
    const refused = noConnectionInjected('Reports.send', 'default');
    await expect(lonely.send('a', 1)).rejects.toThrow(refused);
    await expect(lastValueFrom(lonely.watch())).rejects.toThrow(
      noConnectionInjected('Reports.watch', 'default'),
    );
    const { send } = lonely;
    await expect(send.call(undefined as never, 'a', 1)).rejects.toThrow(refused);
  });

  it('has Nest say which token is missing without FailoverModule', async () => {
    const compiling = Test.createTestingModule({ providers: [Reports] }).compile();
    await expect(compiling).rejects.toThrow('FailoverConnection');
  });

  it('says at start which connection is unknown, where Nest does not inject', async () => {
    class Audited {
      @EnsureRetry({ connection: 'audit' })
      async send(): Promise<void> {}
    }
    const { app } = await compileApp({ providers: [{ provide: 'A', useValue: new Audited() }] });
    await expect(initialise(app)).rejects.toThrow(
      unknownConnection('audit', 'Audited.send', ['default']),
    );
  });

  it('refuses a method that returns neither a promise nor an Observable: by type, at start, at the first call', async () => {
    class Values {
      // @ts-expect-error a string is no promise
      @EnsureRetry()
      text(): string {
        return 'text';
      }
    }
    const { app } = await compileApp({ providers: [Values] });
    await expect(initialise(app)).rejects.toThrow(returnsNeither('Values.text', 'a String'));

    class Anything {
      @EnsureRetry()
      maybe(): any {
        return 5;
      }
    }
    const other = await startApp({ providers: [Anything] });
    expect(() => other.app.get(Anything).maybe()).toThrow(
      returnsNeither('Anything.maybe', 'number'),
    );
  });

  it('refuses an unknown option and a static method when the class is defined', () => {
    const misspelt = { maxRetry: 3 } as object;
    expect(() =>
      EnsureRetry(misspelt)(Reports.prototype, 'send', { value: async () => 1 }),
    ).toThrow('@EnsureRetry on Reports.send has no option "maxRetry"');
    expect(() => EnsureRetry()(Reports, 'make', { value: async () => 1 })).toThrow(
      staticEnsureRetry('Reports.make'),
    );
  });
});

describe('@EnsureRetry({ channel: true })', () => {
  @Injectable()
  class Purges {
    readonly channels: Channel[] = [];

    @EnsureRetry({ channel: true })
    async purge(
      queue: string,
      brokers: FakeBrokers,
      @RetryChannel() channel: Channel = liveChannel(),
    ): Promise<string> {
      this.channels.push(channel);
      if (this.channels.length === 1) {
        brokers.connectionOf('producer').destroy(new Error('broker died'));
        throw channel.loss!;
      }
      await channel.checkQueue(queue);
      return queue;
    }
  }

  it('fills in a live channel, a new one on each run, and closes it after the run', async () => {
    const { app, brokers } = await startApp({ providers: [Purges] });
    const service = app.get(Purges);
    await expect(service.purge('orders', brokers)).resolves.toBe('orders');
    const [first, second] = service.channels;
    expect(first).not.toBe(second);
    expect([first?.loss?.message, second?.loss?.message]).toEqual(['broker died', 'closed']);
  });

  it('fills it in wherever it stands', async () => {
    class First {
      @EnsureRetry({ channel: true })
      async purge(@RetryChannel() channel: Channel | undefined, queue: string): Promise<string> {
        return `${channel?.loss === undefined} ${queue}`;
      }
    }
    const { app } = await startApp({ providers: [First] });
    await expect(app.get(First).purge(undefined, 'orders')).resolves.toBe('true orders');
  });

  it('says so where a parameter is missing, doubled, or not filled in', async () => {
    expect(() => {
      class None {
        @EnsureRetry({ channel: true })
        async purge(): Promise<void> {}
      }
      return None;
    }).toThrow(noRetryChannel('None.purge'));
    expect(() => {
      class Two {
        @EnsureRetry({ channel: true })
        async purge(@RetryChannel() _a?: Channel, @RetryChannel() _b?: Channel): Promise<void> {}
      }
      return Two;
    }).toThrow(manyRetryChannels('Two.purge'));
    expect(() => {
      class Forgotten {
        @EnsureRetry()
        async purge(@RetryChannel() _channel?: Channel): Promise<void> {}
      }
      return Forgotten;
    }).toThrow(channelNotAsked('Forgotten.purge'));

    class Bare {
      async purge(@RetryChannel() channel: Channel = liveChannel()): Promise<Channel> {
        return channel;
      }
    }
    await expect(new Bare().purge()).rejects.toThrow(channelNotFilledIn());
    const { app } = await compileApp({ providers: [Bare] });
    await expect(initialise(app)).rejects.toThrow(channelNotAsked('Bare.purge'));
  });

  it('takes no Observable, by its type', () => {
    class Streams {
      // @ts-expect-error the channel is closed when the promise settles
      @EnsureRetry({ channel: true })
      watch(@RetryChannel() _channel?: Channel): Observable<number> {
        return throwError(() => new Error('unused'));
      }
    }
    expect(Streams.prototype.watch).toBeTypeOf('function');
  });
});
