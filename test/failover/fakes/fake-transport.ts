import type { Broker } from '../../../lib/amqp/broker.js';
import type { ConnectOptions, ServerProperties, Transport } from '../../../lib/amqp/transport.js';
import { ConnectError } from '../../../lib/errors.js';
import type { ConnectFailureReason } from '../../../lib/errors.js';
import type { Clock } from '../../../lib/policy/clock.js';
import { FakeConnection } from './fake-connection.js';

/** What a broker does with a dial. `up`: accepts; `hung`: answers neither; `deaf`: nor does the dial heed its signal. */
export type Behaviour = 'up' | 'dead' | 'refuses' | 'hung' | 'deaf';

/** One attempt to connect. */
export class FakeDial {
  connection: FakeConnection | undefined;
  accept: () => FakeConnection = () => {
    throw new Error('the dial was answered already');
  };
  fail: (reason: ConnectFailureReason) => void = () => undefined;

  constructor(
    readonly broker: Broker,
    readonly options: ConnectOptions,
    /** When it began. */
    readonly at: number,
  ) {}
}

/** A transport whose dials are listed, and answered as the test says. */
export class FakeTransport implements Transport {
  readonly dials: FakeDial[] = [];
  /** By host name; others are `up`. */
  readonly brokers: Record<string, Behaviour> = {};
  serverProperties: (broker: Broker) => ServerProperties = () => ({});

  constructor(private readonly clock: Clock) {}

  /** The host names dialled so far, in order. */
  get dialled(): readonly string[] {
    return this.dials.map(({ broker }) => broker.hostname);
  }

  get connections(): readonly FakeConnection[] {
    return this.dials.flatMap(({ connection }) => connection ?? []);
  }

  /** The connection that was opened last. */
  get latest(): FakeConnection {
    const connection = this.connections.at(-1);
    if (connection === undefined) throw new Error('nothing was connected');
    return connection;
  }

  get live(): readonly FakeConnection[] {
    return this.connections.filter(({ loss }) => loss === undefined);
  }

  /** The dial that was begun last. */
  get lastDial(): FakeDial {
    const dial = this.dials.at(-1);
    if (dial === undefined) throw new Error('nothing was dialled');
    return dial;
  }

  connect(broker: Broker, options: ConnectOptions): Promise<FakeConnection> {
    const dial = new FakeDial(broker, options, this.clock.now());
    this.dials.push(dial);
    return new Promise((resolve, reject) => {
      const over = (): void => {
        cancel();
        options.signal.removeEventListener('abort', aborted);
      };
      const aborted = (): void => fail('timeout');
      const fail = (reason: ConnectFailureReason): void => {
        over();
        reject(new ConnectError(`${broker.hostname} is ${reason}`, reason, String(broker)));
      };
      const cancel = this.clock.schedule(options.connectTimeout, () => fail('timeout'));
      dial.fail = fail;
      dial.accept = () => {
        over();
        dial.connection ??= new FakeConnection(broker, this.serverProperties(broker));
        resolve(dial.connection);
        return dial.connection;
      };
      const behaviour = this.brokers[broker.hostname] ?? 'up';
      if (behaviour !== 'deaf') options.signal.addEventListener('abort', aborted);
      if (behaviour === 'up') dial.accept();
      if (behaviour === 'dead') fail('unreachable');
      if (behaviour === 'refuses') fail('refused');
    });
  }
}
