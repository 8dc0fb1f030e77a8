import { randomUUID } from 'node:crypto';
import { AmqpFault } from './amqp-fault.js';
import { BrokerNode } from './broker-node.js';
import type { NodeState } from './broker-node.js';
import { BrokerStore } from './broker-store.js';
import type { MemoryUser } from './broker-store.js';
import type { ConnectionView, ConsumerView, QueueView } from './broker-views.js';
import { connectionViews, consumerViews, describeNode, queueView } from './broker-views.js';
import { systemClock } from './clock.js';
import { checkControl, senderOf } from './control-checks.js';
import type { ControlFunction, Direction, Fault } from './faults.js';
import type { MemoryBrokerOptions } from './memory-broker-options.js';
import { checkMemoryBrokerOptions } from './memory-broker-options.js';
import { memoryBrokers } from './memory-brokers.js';
import { MemoryCluster } from './memory-cluster.js';
import { until } from './until.js';
import type { UntilOptions } from './until.js';
import type { MethodName } from './wire/method-table.js';

const guest: MemoryUser = { username: 'guest', password: 'guest' };

const SHUTDOWN = new AmqpFault(320, "broker forced connection closure with reason 'shutdown'");

/**
 * An AMQP 0-9-1 broker in this process: real sockets on 127.0.0.1, RabbitMQ's behaviour, nothing on disk. What it has of a
 * broker it does as RabbitMQ 3.10 does; the rest it answers with 540. It never keeps the process running.
 */
export class MemoryBroker implements AsyncDisposable {
  readonly #node: BrokerNode;

  private constructor(node: BrokerNode) {
    this.#node = node;
  }

  /**
   * Starts a broker.
   *
   * @throws TypeError naming the option, and what is allowed
   * @throws Error when its name is taken in this process, or its port on this machine
   */
  static async start(options: MemoryBrokerOptions = {}): Promise<MemoryBroker> {
    checkMemoryBrokerOptions(options);
    const { name = `memory-${randomUUID()}` } = options;
    return MemoryBroker.#start(name, new BrokerStore(name, systemClock), options);
  }

  /** The broker that `memory://name` means; started on first use. */
  static async named(name: string): Promise<MemoryBroker> {
    let broker = memoryBrokers.get(name);
    if (broker === undefined) {
      broker = MemoryBroker.start({ name });
      memoryBrokers.set(name, broker);
    }
    return broker;
  }

  /**
   * Starts the nodes of a cluster. They share what is declared; a quorum queue is on all of them, a classic one on the node
   * that it was declared on, as in RabbitMQ.
   *
   * @param nodes how many, or their names
   */
  static async cluster(
    nodes: number | readonly string[],
    options: Omit<MemoryBrokerOptions, 'name' | 'port'> = {},
  ): Promise<MemoryCluster> {
    checkMemoryBrokerOptions(options);
    const id = randomUUID();
    const names =
      typeof nodes === 'number'
        ? Array.from({ length: nodes }, (_, index) => `memory-${id}-${index + 1}`)
        : nodes;
    if (names.length === 0) throw new TypeError('MemoryBroker: a cluster has at least one node.');
    const store = new BrokerStore(`memory-${id}`, systemClock);
    const started: MemoryBroker[] = [];
    for (const name of names) started.push(await MemoryBroker.#start(name, store, options));
    return new MemoryCluster(started);
  }

  static async #start(
    name: string,
    store: BrokerStore,
    options: MemoryBrokerOptions,
  ): Promise<MemoryBroker> {
    const { vhosts = ['/'], users = [guest], port = 0 } = options;
    const { channelMax = 2_047, frameMax = 131_072, heartbeat = 60_000 } = options;
    if (memoryBrokers.get(name) instanceof MemoryBroker) {
      throw new Error(
        `There is a memory broker "${name}" in this process already: close it first.`,
      );
    }
    for (const vhost of vhosts) store.addVhost(vhost);
    for (const user of users) store.users.set(user.username, user);
    const limits = { channelMax, frameMax, heartbeat: Math.ceil(heartbeat / 1_000) };
    const node = new BrokerNode(name, store, limits, port);
    const broker = new MemoryBroker(node);
    await node.start();
    memoryBrokers.set(name, broker);
    return broker;
  }

  get name(): string {
    return this.#node.name;
  }

  /** It stays the same over `restart()`. */
  get port(): number {
    return this.#node.port;
  }

  get state(): NodeState {
    return this.#node.state;
  }

  /** An `amqp://` URL for any client, as its first user. */
  url(vhost = '/'): string {
    const [user = guest] = this.#node.store.users.values();
    const login = `${encodeURIComponent(user.username)}:${encodeURIComponent(user.password)}`;
    return `amqp://${login}@127.0.0.1:${this.port}/${encodeURIComponent(vhost)}`;
  }

  /** Nothing happens to one that is there. */
  addVhost(name: string): void {
    this.#node.store.addVhost(name);
  }

  /** Adds a user, or gives it another password. */
  addUser(user: MemoryUser): void {
    this.#node.store.users.set(user.username, user);
  }

  /** Dies as on SIGKILL: sockets are reset, the port refuses, what is not durable is gone. */
  kill(): void {
    this.#node.kill();
  }

  /** Stops as on SIGTERM: each client is told with 320 CONNECTION_FORCED. */
  stop(): void {
    this.#node.stop(SHUTDOWN);
  }

  /**
   * Is there again on the same port, with what is durable; a broker that runs is stopped first.
   *
   * @throws Error when somebody else has taken its port
   */
  async restart(): Promise<void> {
    this.stop();
    await this.#node.start();
  }

  /** Hangs as on SIGSTOP: sockets stay open, nothing is read, nothing is sent, and new connections get no answer. */
  pause(): void {
    this.#node.pause();
  }

  /** Goes on after `pause()`, with all that has come meanwhile; what refused before refuses again. */
  async resume(): Promise<void> {
    this.#node.resume();
  }

  /** Takes no new connections; those it has go on. */
  refuse(): void {
    this.#node.refuse();
  }

  /** Takes new connections again after `refuse()`. */
  async accept(): Promise<void> {
    await this.#node.accept();
  }

  /** Closes every connection with this reply code. @param code @default 320 */
  closeConnections(code = 320, text = 'closed by the test'): void {
    for (const session of this.#node.sessions) session.close(new AmqpFault(code, text));
  }

  /** Blocks publishers, as an alarm does: each is told when it next publishes, and then not read any more. */
  block(reason = 'low on memory'): void {
    this.#node.blocked = reason;
  }

  /** Takes publishes again after `block()`. */
  unblock(): void {
    this.#node.unblock();
  }

  /** Cancels all consumers of a queue, as RabbitMQ does when its leader is gone. @returns how many */
  cancelConsumers(queue: string, vhost = '/'): number {
    const found = this.#node.store.vhosts.get(vhost)?.queues.get(queue);
    return found?.cancelConsumers() ?? 0;
  }

  /**
   * Decides what happens to the next `method` that has not been decided on yet: once, and in the order of the calls.
   *
   * @param options `from`: who sends it; by default the client for a method that it can send, else the broker
   * @throws TypeError when there is no such method, `decide` is no function, or `from` is nobody
   */
  control<M extends MethodName>(
    method: M,
    decide: ControlFunction<M>,
    { from = senderOf(method) }: { readonly from?: Direction } = {},
  ): Fault<M> {
    checkControl(method, decide, from);
    return this.#node.faults.add(from, method, decide);
  }

  /** A queue as it is now; it need not exist. */
  queue(name: string, vhost = '/'): QueueView {
    return queueView(this.#node, name, vhost);
  }

  /** The open connections to this broker. */
  get connections(): ConnectionView[] {
    return connectionViews(this.#node);
  }

  /** The consumers on this broker. */
  get consumers(): ConsumerView[] {
    return consumerViews(this.#node);
  }

  /**
   * Waits until something holds; it is looked at after each change of the broker, and every 20 ms.
   *
   * @throws Error when it does not within `timeout` milliseconds (5_000), with the state of the broker
   * @throws TypeError when it says something else than true or false
   */
  until(holds: () => boolean, options?: UntilOptions): Promise<void> {
    return until(this.#node.store, holds, () => describeNode(this.#node), options);
  }

  /** Ends for good: no socket, timer or listener of it remains, and its name is free. Idempotent. */
  async close(): Promise<void> {
    if (memoryBrokers.get(this.name) === this) memoryBrokers.delete(this.name);
    this.#node.faults.clear();
    await this.#node.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
