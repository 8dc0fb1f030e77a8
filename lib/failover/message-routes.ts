import { ConfigurationError } from '../errors.js';
import { overlappingRoutes, routesOfSeveralKinds, unusableRoute } from '../consumer.messages.js';
import { matchesTopic, topicPattern, topicsOverlap } from '../policy/topic-pattern.js';
import type { Queue } from '../amqp/queue.js';
import type { Message } from './message.js';

/**
 * Which messages of a consumer a handler takes: by the queue they come from, by routing key (a topic pattern, whatever the type
 * of the exchange), by the AMQP property `type`, or by the value of one header.
 */
export type RouteCriterion<T = unknown> =
  | { readonly queue: Queue<T> }
  | { readonly routingKey: string }
  | { readonly type: string }
  | { readonly header: readonly [name: string, value: string | number | boolean] };

/** A handler and what it takes. Without a criterion it takes what no other does. */
export interface Route<H> {
  /** Names the handler in errors. */
  readonly name: string;
  readonly criterion: RouteCriterion | undefined;
  readonly handler: H;
}

/** Answers with the handler of a message; undefined when none takes it. */
export type Router<H> = (message: Message) => H | undefined;

/**
 * Makes the router of one consumer.
 *
 * @param where names the consumer in errors
 * @throws ConfigurationError when the routes are of several kinds, or when two of them take the same message: which one ran
 * would be chance
 */
export function routerOf<H>(where: string, routes: readonly Route<H>[]): Router<H> {
  const [fallback, second] = routes.filter(({ criterion }) => criterion === undefined);
  if (fallback !== undefined && second !== undefined) {
    throw new ConfigurationError(overlappingRoutes(where, fallback.name, second.name));
  }
  const specific = routes.filter(({ criterion }) => criterion !== undefined);
  const kinds = new Set(specific.map(kindOf));
  if (kinds.size > 1) throw new ConfigurationError(routesOfSeveralKinds(where, [...kinds]));
  const [first] = specific;
  const otherwise = fallback?.handler;
  if (first?.criterion === undefined) return () => otherwise;
  const find = findBy(where, first.criterion, specific);
  return (message) => find(message) ?? otherwise;

  function kindOf({ name, criterion }: Route<H>): string {
    if (criterion !== undefined && 'queue' in criterion) return 'queue';
    if (criterion !== undefined && 'routingKey' in criterion) return 'routingKey';
    if (criterion !== undefined && 'type' in criterion) return 'type';
    if (criterion !== undefined && Array.isArray(criterion.header)) {
      return `header ${JSON.stringify(criterion.header[0])}`;
    }
    throw new ConfigurationError(unusableRoute(where, name));
  }
}

function findBy<H>(
  where: string,
  kind: RouteCriterion,
  routes: readonly Route<H>[],
): (message: Message) => H | undefined {
  if ('queue' in kind) return byQueue(where, routes);
  return 'routingKey' in kind ? byRoutingKey(where, routes) : byValue(where, routes);
}

/** A queue that the server names is known by its declaration alone. */
const identityOf = (queue: Queue): string | Queue => (queue.name === '' ? queue : queue.name);

function byQueue<H>(where: string, routes: readonly Route<H>[]): Router<H> {
  const byQueues = new Map<string | Queue, Route<H>>();
  for (const route of routes) {
    const { queue } = route.criterion as { readonly queue: Queue };
    add(where, byQueues, identityOf(queue), route);
  }
  return ({ queue }) => byQueues.get(identityOf(queue))?.handler;
}

function add<K, H>(where: string, routes: Map<K, Route<H>>, key: K, route: Route<H>): void {
  const taken = routes.get(key);
  if (taken !== undefined) {
    throw new ConfigurationError(overlappingRoutes(where, taken.name, route.name));
  }
  routes.set(key, route);
}

function byRoutingKey<H>(where: string, routes: readonly Route<H>[]): Router<H> {
  const patterns = routes.map(({ name, criterion, handler }) => ({
    name,
    handler,
    pattern: topicPattern((criterion as { routingKey: string }).routingKey),
  }));
  for (const [index, one] of patterns.entries()) {
    for (const other of patterns.slice(index + 1)) {
      if (topicsOverlap(one.pattern, other.pattern)) {
        throw new ConfigurationError(overlappingRoutes(where, one.name, other.name));
      }
    }
  }
  return ({ deliveryInfo }) =>
    patterns.find(({ pattern }) => matchesTopic(pattern, deliveryInfo.routingKey))?.handler;
}

function byValue<H>(where: string, routes: readonly Route<H>[]): Router<H> {
  const byValues = new Map<unknown, Route<H>>();
  let header: string | undefined;
  for (const route of routes) {
    const criterion = route.criterion as Extract<
      RouteCriterion,
      { type: string } | { header: unknown }
    >;
    const value = 'type' in criterion ? criterion.type : criterion.header[1];
    if ('header' in criterion) [header] = criterion.header;
    add(where, byValues, value, route);
  }
  return header === undefined
    ? ({ properties }) => byValues.get((properties as { type?: unknown }).type)?.handler
    : ({ headers }) => byValues.get(headers[header])?.handler;
}
