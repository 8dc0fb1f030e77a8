import { named, notFound } from '../amqp-fault.js';
import type { MemoryClock } from '../clock.js';
import { emptyTable } from '../wire/field-value.js';
import type { Binding } from './binding.js';
import type { DeathReason } from './dead-letter.js';
import { deadLettered, isCycle } from './dead-letter.js';
import type { ExchangeDeclaration, ExchangeType } from './exchange.js';
import { MemoryExchange } from './exchange.js';
import type { StoredMessage } from './message.js';
import type { QueueDeclaration } from './queue-declaration.js';
import { MemoryQueue } from './queue.js';

/** The exchanges that every virtual host has. */
const predeclared: readonly (readonly [name: string, type: ExchangeType, internal?: boolean])[] = [
  ['', 'direct'],
  ['amq.direct', 'direct'],
  ['amq.fanout', 'fanout'],
  ['amq.topic', 'topic'],
  ['amq.headers', 'headers'],
  ['amq.match', 'headers'],
  ['amq.rabbitmq.trace', 'topic', true],
];

/** One virtual host: its exchanges, its queues, and the way of a message through them. */
export class VirtualHost {
  readonly exchanges = new Map<string, MemoryExchange>();
  readonly queues = new Map<string, MemoryQueue>();
  /** On their way from one queue to others. */
  #dead: (() => void)[] = [];

  constructor(
    readonly name: string,
    private readonly clock: MemoryClock,
    private readonly changed: () => void,
  ) {
    for (const [exchange, type, internal = false] of predeclared) {
      this.addExchange({
        name: exchange,
        type,
        durable: true,
        autoDelete: false,
        internal,
        arguments: emptyTable,
      });
    }
  }

  /** @throws AmqpFault when there is none */
  exchange(name: string): MemoryExchange {
    const exchange = this.exchanges.get(name);
    if (exchange === undefined) throw notFound(`no ${named('exchange', name, this.name)}`);
    return exchange;
  }

  addExchange(declaration: ExchangeDeclaration): void {
    this.exchanges.set(declaration.name, new MemoryExchange(declaration));
  }

  removeExchange(exchange: MemoryExchange): void {
    this.exchanges.delete(exchange.name);
    this.#unbindAll('exchange', exchange.name);
  }

  addQueue(declaration: QueueDeclaration): MemoryQueue {
    const queue: MemoryQueue = new MemoryQueue(declaration, {
      clock: this.clock,
      changed: this.changed,
      deadLetter: (message, reason, from) => this.#died(message, reason, from),
      expired: (expired) => this.removeQueue(expired),
    });
    this.queues.set(queue.name, queue);
    return queue;
  }

  /** @returns how many messages went with it */
  removeQueue(queue: MemoryQueue): number {
    if (this.queues.get(queue.name) !== queue) return 0;
    this.queues.delete(queue.name);
    this.#unbindAll('queue', queue.name);
    return queue.delete();
  }

  /** A connection has ended: its exclusive queues go with it. */
  removeQueuesOf(owner: object): void {
    for (const queue of this.queues.values()) {
      if (queue.declaration.owner === owner) this.removeQueue(queue);
    }
  }

  /** Takes bindings away, and the exchange if it was to go with its last one. */
  unbind(exchange: MemoryExchange, holds: (binding: Binding) => boolean): void {
    const removed = exchange.unbind(holds);
    if (removed && exchange.declaration.autoDelete && !exchange.isBound) {
      this.removeExchange(exchange);
    }
  }

  /** The queues that a message goes to, each once. */
  route(message: StoredMessage, from: MemoryExchange): Set<MemoryQueue> {
    const queues = new Set<MemoryQueue>();
    const seen = new Set([from]);
    const headers = (): StoredMessage['headers'] => message.headers;
    for (const exchange of seen) {
      const before = queues.size;
      let led = false;
      // As an alternate it leads nowhere.
      if (exchange.name === '' && exchange === from) {
        for (const key of message.routingKeys) {
          const queue = this.queues.get(key);
          if (queue !== undefined) queues.add(queue);
        }
      }
      for (const { kind, name } of exchange.route(message.routingKeys, headers)) {
        led = true;
        if (kind === 'queue') {
          const queue = this.queues.get(name);
          if (queue !== undefined) queues.add(queue);
        } else {
          const next = this.exchanges.get(name);
          if (next !== undefined) seen.add(next);
        }
      }
      if (led || queues.size > before || exchange.alternate === undefined) continue;
      const alternate = this.exchanges.get(exchange.alternate);
      if (alternate !== undefined) seen.add(alternate);
    }
    return queues;
  }

  /** Every node has gone. */
  forgetTransientExchanges(): void {
    for (const exchange of this.exchanges.values()) {
      if (!exchange.declaration.durable) this.removeExchange(exchange);
    }
  }

  /** Has what died arrive. To be called when a method has had its effect. */
  settle(): void {
    for (let dead = this.#dead; dead.length > 0; dead = this.#dead) {
      this.#dead = [];
      for (const arrive of dead) arrive();
    }
  }

  /** A queue is a process of its own in RabbitMQ: what dies in it arrives elsewhere when the method that did it is over. */
  #died(message: StoredMessage, reason: DeathReason, from: MemoryQueue): void {
    if (from.settings.deadLetterExchange === undefined) return;
    if (this.#dead.length === 0) queueMicrotask(() => this.settle());
    this.#dead.push(() => this.#deadLetter(message, reason, from));
  }

  #deadLetter(message: StoredMessage, reason: DeathReason, from: MemoryQueue): void {
    const { deadLetterExchange, deadLetterRoutingKey } = from.settings;
    if (deadLetterExchange === undefined) return;
    const exchange = this.exchanges.get(deadLetterExchange);
    if (exchange === undefined) return;
    const death = { queue: from.name, reason, time: this.clock.now() };
    const dead = deadLettered(message, death, deadLetterExchange, deadLetterRoutingKey);
    for (const queue of this.route(dead, exchange)) {
      if (reason === 'rejected' || !isCycle(dead, queue.name)) queue.publish(dead);
    }
  }

  #unbindAll(kind: 'queue' | 'exchange', name: string): void {
    for (const exchange of this.exchanges.values()) {
      this.unbind(
        exchange,
        ({ destination }) => destination.kind === kind && destination.name === name,
      );
    }
  }
}
