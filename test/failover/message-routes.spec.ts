import { describe, expect, it } from 'vitest';
import { Queue } from '../../lib/amqp/queue.js';
import { isConfigurationError } from '../../lib/errors.js';
import { overlappingRoutes, routesOfSeveralKinds } from '../../lib/consumer.messages.js';
import type { Message } from '../../lib/failover/message.js';
import type { RouteCriterion } from '../../lib/failover/message-routes.js';
import { routerOf } from '../../lib/failover/message-routes.js';

const message = (
  routingKey: string,
  type?: string,
  headers: Record<string, unknown> = {},
): Message =>
  ({ deliveryInfo: { routingKey }, properties: { type }, headers }) as unknown as Message;

const from = (queue: Queue): Message => ({ queue }) as unknown as Message;

const [created, unnamed, other] = [new Queue('created'), new Queue(), new Queue()] as const;

const router = (routes: Readonly<Record<string, RouteCriterion | undefined>>) =>
  routerOf(
    'Orders',
    Object.entries(routes).map(([name, criterion]) => ({ name, criterion, handler: name })),
  );

describe('several handlers of one consumer', () => {
  const byKey = router({
    created: { routingKey: 'order.created' },
    other: { routingKey: 'audit.#' },
    rest: undefined,
  });
  const byType = router({ created: { type: 'Created' }, gone: { type: 'Deleted' } });
  const byHeader = router({ one: { header: ['kind', 1] }, text: { header: ['kind', '1'] } });

  const byQueue = router({ created: { queue: created }, unnamed: { queue: unnamed } });

  it.each([
    ['its queue', byQueue, from(created), 'created'],
    ['a queue of the same name', byQueue, from(new Queue('created')), 'created'],
    ['its queue that the server names', byQueue, from(unnamed), 'unnamed'],
    ['no handler of another queue that the server names', byQueue, from(other), undefined],
    ['its routing key', byKey, message('order.created'), 'created'],
    ['a pattern', byKey, message('audit.eu.order'), 'other'],
    ['the one without a criterion, for the rest', byKey, message('order.deleted'), 'rest'],
    ['its type', byType, message('x', 'Deleted'), 'gone'],
    ['no handler', byType, message('x', 'Moved'), undefined],
    ['no handler without the property', byType, message('x'), undefined],
    ['a header, by value and type', byHeader, message('x', undefined, { kind: '1' }), 'text'],
    ['a number in a header', byHeader, message('x', undefined, { kind: 1 }), 'one'],
    ['no handler without the header', byHeader, message('x'), undefined],
  ])('a message goes to the handler of %s', (_what, route, given, handler) => {
    expect(route(given)).toBe(handler);
  });

  it.each([
    ['two without a criterion', { a: undefined, b: undefined }],
    ['overlapping patterns', { a: { routingKey: 'order.*' }, b: { routingKey: '#.created' } }],
    ['the same type', { a: { type: 'X' }, b: { type: 'X' } }],
    ['the same header value', { a: { header: ['k', 1] }, b: { header: ['k', 1] } }],
  ] as const)('%s are refused by name', (_what, routes) => {
    expect(() => router(routes)).toThrow(overlappingRoutes('Orders', 'a', 'b'));
  });

  it.each([
    ['kinds', { a: { routingKey: 'x' }, b: { type: 'X' } }, ['routingKey', 'type']],
    ['headers', { a: { header: ['k', 1] }, b: { header: ['l', 1] } }, ['header "k"', 'header "l"']],
  ] as const)('different %s are refused', (_what, routes, kinds) => {
    expect(() => router(routes)).toThrow(routesOfSeveralKinds('Orders', kinds));
  });

  it('a criterion that is none is refused', () => {
    const routes = { a: { key: 'x' } as unknown as RouteCriterion };
    expect(() => router(routes)).toThrow(expect.toSatisfy(isConfigurationError));
  });
});
