import { onTestFinished } from 'vitest';
import { AmqplibTransport } from '../../lib/amqp/amqplib.transport.js';
import { Broker } from '../../lib/amqp/broker.js';
import type { BrokerAddress } from '../../lib/amqp/broker.js';
import type { BrokerConnection, ConnectOptions } from '../../lib/amqp/transport.js';
import type { Clock } from '../../lib/policy/clock.js';
import { ScriptedPeer } from './scripted-peer.js';
import type { PeerSession, Script } from './scripted-peer.js';

/** A clock of real time that knows how many of its timers are still to come. */
export class CountingClock implements Clock {
  readonly #timers = new Set<NodeJS.Timeout>();

  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return performance.now();
  }

  schedule(delay: number, task: () => void): () => void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      task();
    }, delay);
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }
}

export const brokerAt = (port: number, address: Partial<BrokerAddress> = {}): Broker =>
  new Broker({
    protocol: 'amqp',
    hostname: '127.0.0.1',
    port,
    username: 'guest',
    password: 's3cr3t-p4ss',
    vhost: '/',
    ...address,
  });

export interface Dialled {
  readonly connection: BrokerConnection;
  readonly clock: CountingClock;
  /** What listeners threw, and where. */
  readonly reported: { error: unknown; where: string }[];
}

/** Dials with the adapter; the connection ends with the test. */
export async function dial(
  broker: Broker,
  options: Partial<ConnectOptions> = {},
): Promise<Dialled> {
  const clock = new CountingClock();
  const reported: { error: unknown; where: string }[] = [];
  const transport = new AmqplibTransport({
    clock,
    onListenerError: (error, where) => reported.push({ error, where }),
  });
  const connection = await transport.connect(broker, {
    connectTimeout: 5_000,
    signal: new AbortController().signal,
    heartbeat: 5_000,
    rpcTimeout: 5_000,
    closeTimeout: 1_000,
    connectionName: 'test',
    ...options,
  });
  onTestFinished(() => connection.destroy(new Error('test finished')));
  return { connection, clock, reported };
}

/** A scripted peer that ends with the test. */
export async function usePeer(script: Script = {}): Promise<ScriptedPeer> {
  const peer = await ScriptedPeer.listen(script);
  onTestFinished(() => peer.close());
  return peer;
}

/** A peer and a connection of the adapter to it. */
export async function dialPeer(
  script: Script = {},
  options: Partial<ConnectOptions> = {},
): Promise<Dialled & { readonly peer: ScriptedPeer; readonly session: PeerSession }> {
  const peer = await usePeer(script);
  const dialled = await dial(brokerAt(peer.port), options);
  return { ...dialled, peer, session: await peer.session() };
}

/** The rejection of a promise that must reject. */
export async function rejection<E extends Error = Error>(promise: Promise<unknown>): Promise<E> {
  try {
    await promise;
  } catch (error) {
    return error as E;
  }
  throw new Error('it resolved');
}
