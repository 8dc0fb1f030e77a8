import { canCacheDeclaration, declarationKey } from '../amqp/declaration-key.js';
import { declareExchange, declareQueue } from '../amqp/declare.js';
import { notDeclared } from '../amqp/entity.messages.js';
import { Exchange } from '../amqp/exchange.js';
import { Queue } from '../amqp/queue.js';
import { ConfigurationError, TopologyError, isAmqpError, isTopologyError } from '../errors.js';
import {
  conflictingDeclarations,
  manyNotDeclared,
  notAnEntity,
  classicOnCluster,
} from '../failover.messages.js';
import { isNotFound } from '../policy/reply-codes.js';
import { DeclaringChannel } from './declaring-channel.js';
import type { Link } from './link.js';

export type Entity = Exchange | Queue;

const isReserved = (name: string): boolean => name === '' || name.startsWith('amq.');

/** A queue that only the connection which declared it may use, or whose name only that connection knows. */
const belongsToConnection = (entity: Entity): boolean =>
  entity instanceof Queue && (entity.exclusive || entity.name === '');

const keyOf = (entity: Entity): string | Queue =>
  entity instanceof Queue && entity.name === '' ? entity : declarationKey(entity);

/** An entity after the exchanges it needs, each once. What is not to be declared needs nothing. */
function withExchanges(entities: readonly Entity[]): Entity[] {
  const found = new Map<string | Queue, Entity>();
  const visit = (entity: Entity): void => {
    if (entity.noDeclare) return;
    if (entity instanceof Queue) visit(entity.exchange);
    for (const { exchange } of entity.bindings) visit(exchange);
    const nothingToDo =
      entity instanceof Exchange && isReserved(entity.name) && entity.bindings.length === 0;
    if (!nothingToDo) found.set(keyOf(entity), entity);
  };
  for (const entity of entities) visit(entity);
  // Exchanges first, so that one which is missing is known before the queues bound to it are looked at.
  return [...found.values()].toSorted(
    (a, b) => Number(a instanceof Queue) - Number(b instanceof Queue),
  );
}

/** A durable classic queue is on one node of a cluster only, and nobody can declare it anew while that node is down. */
const diesWithItsNode = (entity: Entity): boolean =>
  entity instanceof Queue &&
  entity.durable &&
  !entity.exclusive &&
  !entity.noDeclare &&
  (entity.type ?? 'classic') === 'classic';

export interface TopologyOptions {
  /** All brokers are nodes of one cluster. */
  readonly cluster: boolean;
  readonly warn: (message: string) => void;
}

/**
 * The exchanges and queues of one connection and its clones. They are declared on every new connection, once each.
 *
 * On a cluster where an entity was declared before (option `cluster`, or the same `cluster_name`), it is only looked at, and declared when it is
 * missing: while a node of a cluster hangs, each new queue or binding waits for about a minute on every node, but a passive
 * declaration answers at once.
 */
export class Topology {
  readonly #entities = new Map<string, Entity>();
  /** By cluster name, the keys of what was declared there. */
  readonly #known = new Map<string, Set<string | Queue>>();

  constructor(
    private readonly options: TopologyOptions = { cluster: false, warn: () => undefined },
  ) {}

  get entities(): readonly Entity[] {
    return [...this.#entities.values()];
  }

  /** @throws ConfigurationError when an entity of the same name is registered with another declaration */
  add(...entities: readonly Entity[]): void {
    for (const entity of entities) {
      if (!(entity instanceof Exchange || entity instanceof Queue)) {
        throw new ConfigurationError(notAnEntity(entity));
      }
      if (entity.name !== '') this.#add(entity);
    }
  }

  #add(entity: Entity): void {
    const name = String(entity);
    const registered = this.#entities.get(name);
    if (registered !== undefined && declarationKey(registered) !== declarationKey(entity)) {
      throw new ConfigurationError(conflictingDeclarations(name));
    }
    if (registered === undefined && this.options.cluster && diesWithItsNode(entity)) {
      this.options.warn(classicOnCluster(name));
    }
    this.#entities.set(name, entity);
  }

  /**
   * Declares all that is registered, or these of it, except what belongs to one connection only: that is its consumer's to declare.
   *
   * @throws TopologyError naming what the broker refused, after everything else was declared
   * @throws AmqpError if the connection was lost
   */
  declareOn(link: Link, entities: readonly Entity[] = this.entities): Promise<void> {
    return this.declare(
      link,
      entities.filter((entity) => !belongsToConnection(entity)),
    );
  }

  /** The same for some entities and what they need. */
  async declare(link: Link, entities: readonly Entity[]): Promise<void> {
    const channel = new DeclaringChannel(link);
    const refused: TopologyError[] = [];
    try {
      for (const entity of withExchanges(entities)) {
        try {
          await this.#declareOnce(link, entity, channel);
        } catch (error) {
          if (!isTopologyError(error)) throw error;
          refused.push(error);
        }
      }
    } finally {
      await channel.close();
    }
    const [first, second] = refused;
    if (first === undefined) return;
    if (second === undefined) throw first;
    throw new TopologyError(manyNotDeclared(refused), first.entity, first.code, {
      cause: new AggregateError(refused),
    });
  }

  /** Declares a queue, and gives the name by which the broker knows it on this connection. */
  async queueName(link: Link, queue: Queue): Promise<string> {
    if (queue.noDeclare) return queue.name;
    await this.declare(link, [queue]);
    return (await link.declared.get(keyOf(queue))) ?? queue.name;
  }

  /** Forgets that a queue was declared: it was deleted by somebody else, and so may have been what it is bound to. */
  forget(link: Link, queue: Queue): void {
    for (const entity of withExchanges([queue])) {
      const key = keyOf(entity);
      link.declared.delete(key);
      this.#knownOn(link).delete(key);
    }
  }

  #declareOnce(link: Link, entity: Entity, channel: DeclaringChannel): Promise<string> {
    const key = keyOf(entity);
    const running = link.declared.get(key);
    if (running !== undefined) return running;
    const declared = this.#declareOrCheck(link, entity, channel);
    link.declared.set(key, declared);
    const forget = (): void => {
      if (link.declared.get(key) === declared) link.declared.delete(key);
    };
    // What the broker deletes by itself may be gone by the next time; a name that it gave is kept all the same.
    const lasts = entity.name === '' || canCacheDeclaration(entity);
    void declared.then(lasts ? undefined : forget, forget);
    return declared;
  }

  async #declareOrCheck(link: Link, entity: Entity, channel: DeclaringChannel): Promise<string> {
    const key = keyOf(entity);
    const known = this.#knownOn(link);
    if (known.has(key)) {
      if (await exists(entity, channel)) return entity.name;
      // A missing exchange has taken its bindings with it: what is bound to it has to be declared in full again.
      if (entity instanceof Exchange) known.clear();
    }
    const name =
      entity instanceof Queue
        ? await declareQueue(await channel.get(), entity)
        : await declareExchange(await channel.get(), entity).then(() => entity.name);
    if (canCacheDeclaration(entity) && !belongsToConnection(entity)) known.add(key);
    return name;
  }

  #knownOn({ connection }: Link): Set<string | Queue> {
    // Unless somebody has set it, RabbitMQ tells another cluster name on each node.
    const { clusterName } = connection.serverProperties;
    const cluster = this.options.cluster ? '' : (clusterName ?? connection.broker.toString());
    let known = this.#known.get(cluster);
    if (known === undefined) {
      known = new Set();
      this.#known.set(cluster, known);
    }
    return known;
  }
}

async function exists(entity: Entity, channel: DeclaringChannel): Promise<boolean> {
  const live = await channel.get();
  try {
    if (entity instanceof Queue) await live.checkQueue(entity.name);
    else await live.checkExchange(entity.name);
    return true;
  } catch (error) {
    if (!isAmqpError(error) || error.fault.scope === 'connection') throw error;
    if (isNotFound(error.code)) return false;
    const { code, message } = error;
    const name = String(entity);
    throw new TopologyError(notDeclared(name, message, code), name, code, { cause: error });
  }
}
