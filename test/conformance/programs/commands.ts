import * as fc from 'fast-check';

/** Two connections with two channels each. */
export const SEATS = 4;

/**
 * The queues of a program. `dropped` and `expired` are each filled by the dead letters of one queue and by nothing else: two queues
 * that dead-letter into one, as when a channel gives messages back to both, do so in the order of a race.
 */
export const queues = ['plain', 'limited', 'priorities', 'fleeting', 'dropped', 'expired'] as const;
export type QueueName = (typeof queues)[number];

export const exchanges = ['topic', 'fanout'] as const;
export type ExchangeName = (typeof exchanges)[number];

/** What a client does. `seat` is the channel that it does it on, `nth` chooses among the unsettled deliveries of that channel. */
export type Command =
  | {
      readonly do: 'declare' | 'delete' | 'purge';
      readonly seat: number;
      readonly queue: QueueName;
    }
  | {
      readonly do: 'bind' | 'unbind';
      readonly seat: number;
      readonly queue: QueueName;
      readonly exchange: ExchangeName;
      readonly key: string;
    }
  | {
      readonly do: 'send';
      readonly seat: number;
      readonly queue: QueueName;
      readonly priority: number;
    }
  | {
      readonly do: 'publish';
      readonly seat: number;
      readonly exchange: ExchangeName;
      readonly key: string;
      readonly mandatory: boolean;
    }
  | {
      readonly do: 'get';
      readonly seat: number;
      readonly queue: QueueName;
      readonly noAck: boolean;
    }
  | {
      readonly do: 'consume';
      readonly seat: number;
      readonly queue: QueueName;
      readonly prefetch: number;
      readonly noAck: boolean;
    }
  | { readonly do: 'cancel'; readonly seat: number; readonly queue: QueueName }
  | { readonly do: 'ack' | 'reject' | 'requeue'; readonly seat: number; readonly nth: number }
  | { readonly do: 'ack all' | 'requeue all' | 'close'; readonly seat: number }
  | { readonly do: 'close connection'; readonly connection: number };

const seat = fc.nat(SEATS - 1);
const queue = fc.constantFrom<QueueName>(...queues);
const bound = fc.constantFrom<QueueName>('plain', 'limited', 'priorities');
const target = fc.constantFrom<QueueName>('plain', 'plain', 'limited', 'priorities', 'fleeting');
const exchange = fc.constantFrom<ExchangeName>(...exchanges);
const pattern = fc.constantFrom('a.*', '#', 'a.b');
const key = fc.constantFrom('a.b', 'a.c', 'b');
const nth = fc.nat(9);

const weighted = (weight: number, arbitrary: fc.Arbitrary<Command>) => ({ weight, arbitrary });

const command = fc.oneof(
  weighted(3, fc.record({ do: fc.constant('declare' as const), seat, queue })),
  weighted(1, fc.record({ do: fc.constantFrom('delete' as const, 'purge' as const), seat, queue })),
  weighted(
    3,
    fc.record({ do: fc.constant('bind' as const), seat, queue: bound, exchange, key: pattern }),
  ),
  weighted(
    1,
    fc.record({ do: fc.constant('unbind' as const), seat, queue: bound, exchange, key: pattern }),
  ),
  weighted(
    8,
    fc.record({ do: fc.constant('send' as const), seat, queue: target, priority: fc.nat(4) }),
  ),
  weighted(
    6,
    fc.record({
      do: fc.constant('publish' as const),
      seat,
      exchange,
      key,
      mandatory: fc.boolean(),
    }),
  ),
  weighted(3, fc.record({ do: fc.constant('get' as const), seat, queue, noAck: fc.boolean() })),
  weighted(
    5,
    fc.record({
      do: fc.constant('consume' as const),
      seat,
      queue,
      prefetch: fc.constantFrom(1, 3, 0),
      noAck: fc.constantFrom(false, false, true),
    }),
  ),
  weighted(1, fc.record({ do: fc.constant('cancel' as const), seat, queue })),
  weighted(
    8,
    fc.record({
      do: fc.constantFrom('ack' as const, 'reject' as const, 'requeue' as const),
      seat,
      nth,
    }),
  ),
  weighted(
    2,
    fc.record({
      do: fc.constantFrom('ack all' as const, 'requeue all' as const, 'close' as const),
      seat,
    }),
  ),
  weighted(1, fc.record({ do: fc.constant('close connection' as const), connection: fc.nat(1) })),
);

export const programs = fc.array(command, { minLength: 30, maxLength: 60, size: 'max' });
