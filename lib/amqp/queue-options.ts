import type { Binding } from './binding.js';
import type { Arguments } from './entity-arguments.js';
import type { Exchange } from './exchange.js';

/** `quorum` and `stream` queues are replicated; a `classic` one lives and dies with its node. */
export type QueueType = 'classic' | 'quorum' | 'stream';

/** What happens to a message that a full queue has no room for. */
export type QueueOverflow = 'drop-head' | 'reject-publish' | 'reject-publish-dlx';

/** Called each time the queue has been declared and bound. It must not throw. */
export type OnDeclared = (name: string, messageCount: number, consumerCount: number) => void;

/** Durations are milliseconds (kombu's are seconds). An unknown option is refused. */
export interface QueueOptions {
  /** Default: as the virtual host says, which is `classic` unless it was changed. */
  readonly type?: QueueType | undefined;
  /** Declared with the queue, which is bound to it. A string is a durable direct exchange, as in kombu. Default: none. */
  readonly exchange?: Exchange | string | undefined;
  /** Of the binding to `exchange`. Default empty. */
  readonly routingKey?: string | undefined;
  /** Further bindings; their exchanges are declared too. */
  readonly bindings?: readonly Binding[] | undefined;
  /** Outlives a restart of the broker. Default true. */
  readonly durable?: boolean | undefined;
  /** For the connection that declares it alone; deleted with it. Default false. */
  readonly exclusive?: boolean | undefined;
  /** Deleted after its last consumer has gone. Default: true if `exclusive`, else false. */
  readonly autoDelete?: boolean | undefined;
  /** Neither created nor checked nor bound. Default false. */
  readonly noDeclare?: boolean | undefined;
  /** Only checked, never created; its bindings are made. Default false. */
  readonly passive?: boolean | undefined;
  /** Deleted after being unused for so long; milliseconds, at least 1. */
  readonly expires?: number | undefined;
  /** How long a message may wait; milliseconds. */
  readonly messageTtl?: number | undefined;
  readonly maxLength?: number | undefined;
  readonly maxLengthBytes?: number | undefined;
  /** 1 to 255; RabbitMQ advises at most 10. */
  readonly maxPriority?: number | undefined;
  /** Default of the broker: `drop-head`. */
  readonly overflow?: QueueOverflow | undefined;
  /** Where rejected, expired and dropped messages go. */
  readonly deadLetterExchange?: string | undefined;
  /** Instead of a message's own; needs `deadLetterExchange`. */
  readonly deadLetterRoutingKey?: string | undefined;
  /** How often a quorum queue delivers a message again before it drops or dead-letters it. */
  readonly deliveryLimit?: number | undefined;
  /** One consumer at a time gets messages. */
  readonly singleActiveConsumer?: boolean | undefined;
  /** Further `x-` arguments of the queue. */
  readonly arguments?: Arguments | undefined;
  /** Of the binding to `exchange`. */
  readonly bindingArguments?: Arguments | undefined;
  /** Of `basic.consume`. */
  readonly consumerArguments?: Arguments | undefined;
  /** A name to find it by in this process. */
  readonly alias?: string | undefined;
  readonly onDeclared?: OnDeclared | undefined;
}
