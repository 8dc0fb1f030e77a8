import type { Queue } from '../amqp/queue.js';
import { ON_MESSAGE_METADATA } from '../failover.constants.js';
import type { RouteCriterion } from '../failover/message-routes.js';
import { describeParameters } from '../handler-parameters.js';

/** Goes on methods that take bodies of a type, and is an error on any other. */
export type HandlerDecorator<T> = <M extends (body: T, ...more: never[]) => unknown>(
  prototype: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/**
 * Marks the method of a `@Consumer` class that handles its messages: `(body, message)`. What it returns is awaited. With
 * `ackMode: 'auto'` the message is acked when it resolves, and requeued after a backoff when it throws.
 *
 * A class may have several handlers, told apart by one kind of criterion: `{ queue: created }`, `{ routingKey: 'order.*' }`,
 * `{ type: 'Created' }` or `{ header: ['x-kind', 'created'] }`. With `{ queue }` the body has to be of the type of the queue. One without a criterion takes the rest; without such a one, what no handler takes is
 * treated as undecodable. Two that could take the same message are refused at start.
 *
 * Guards, pipes, interceptors and filters that are bound to the method or its class run, with `getType() === 'failover'`;
 * app-wide ones only with `inheritAppConfig`. Pipes see the body, not the message. A filter that returns a value, or a promise, has handled the
 * failure, and the message is acked; one that returns undefined passes it on.
 */
export function OnMessage<T>(criterion: { readonly queue: Queue<T> }): HandlerDecorator<T>;
export function OnMessage(criterion?: RouteCriterion): MethodDecorator;
export function OnMessage(criterion?: RouteCriterion): MethodDecorator {
  return (prototype, method, descriptor) => {
    describeParameters(prototype, method);
    Reflect.defineMetadata(ON_MESSAGE_METADATA, { criterion }, descriptor.value as object);
  };
}
