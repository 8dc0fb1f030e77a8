import type { FieldTable, FieldValue } from '../wire/field-value.js';
import { integerOf, long, longstr, textOf } from '../wire/field-value.js';
import { headerRoutes } from './header-routes.js';
import type { StoredMessage } from './message.js';

export type DeathReason = 'rejected' | 'expired' | 'maxlen' | 'delivery_limit';

/** Where a message died. */
export interface Death {
  readonly queue: string;
  readonly reason: DeathReason;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** Makes what is published to a dead-letter exchange out of what has died. */
export function deadLettered(
  message: StoredMessage,
  death: Death,
  exchange: string,
  routingKey: string | undefined,
): StoredMessage {
  const { expiration, headers: _headers, ...kept } = message.decoded;
  const headers = new Map(message.headers);
  noteDeath(headers, message, death, expiration);
  if (routingKey !== undefined) headers.delete('CC');
  const routingKeys = routingKey === undefined ? message.routingKeys : [routingKey];
  return message.with({ exchange, routingKeys, properties: { ...kept, headers } });
}

function noteDeath(
  headers: Map<string, FieldValue>,
  message: StoredMessage,
  { queue, reason, time }: Death,
  expiration: string | undefined,
): void {
  const deaths = groupedDeaths(headers);
  // What is no list of deaths is no first death either, and is written over.
  if (!headers.has('x-death')) {
    headers.set('x-first-death-reason', longstr(reason));
    headers.set('x-first-death-queue', longstr(queue));
    headers.set('x-first-death-exchange', longstr(message.exchange));
  }
  const keys = [
    message.routingKey,
    ...headerRoutes(headers, 'CC'),
    ...headerRoutes(headers, 'BCC'),
  ];
  const isSame = (table: FieldTable): boolean => isDeath(table, queue, reason);
  const before = deaths.find(isSame);
  const entry = new Map<string, FieldValue>(
    before ?? [
      ['count', long(0)],
      ['reason', longstr(reason)],
      ['queue', longstr(queue)],
      ['time', { type: 'timestamp', value: BigInt(Math.floor(time / 1_000)) }],
      ['exchange', longstr(message.exchange)],
      ['routing-keys', { type: 'array', value: keys.map(longstr) }],
      ...(expiration === undefined ? [] : [['original-expiration', longstr(expiration)] as const]),
    ],
  );
  entry.set('count', long((integerOf(entry.get('count')) ?? 0) + 1));
  const others = deaths.filter((table) => !isSame(table));
  const all = [entry, ...others].map((value): FieldValue => ({ type: 'table', value }));
  headers.set('x-death', { type: 'array', value: all });
}

const isDeath = (table: FieldTable, queue: string | undefined, reason: string | undefined) =>
  textOf(table.get('queue')) === queue && textOf(table.get('reason')) === reason;

/** Those of one queue and reason as one. RabbitMQ turns the others round whenever it notes one more. */
function groupedDeaths(headers: FieldTable): FieldTable[] {
  const deaths = deathsOf(headers);
  if (deaths.length < 2) return deaths;
  const grouped: FieldTable[] = [];
  for (const table of deaths) {
    const [queue, reason] = [textOf(table.get('queue')), textOf(table.get('reason'))];
    if (grouped.some((one) => isDeath(one, queue, reason))) continue;
    const { length } = deaths.filter((one) => isDeath(one, queue, reason));
    grouped.unshift(new Map([['count', long(length)], ...table]));
  }
  return grouped;
}

function deathsOf(headers: FieldTable): FieldTable[] {
  const deaths = headers.get('x-death');
  if (deaths?.type !== 'array') return [];
  return deaths.value.flatMap((one) => (one.type === 'table' ? [one.value] : []));
}

/**
 * Whether the message has come back to a queue by itself: since it was last dead there, it was rejected nowhere. It is dropped
 * then, or it would go round for ever.
 */
export function isCycle(message: StoredMessage, queue: string): boolean {
  const deaths = deathsOf(message.headers);
  const last = deaths.findIndex((table) => textOf(table.get('queue')) === queue);
  if (last === -1) return false;
  return deaths.slice(0, last + 1).every((table) => textOf(table.get('reason')) !== 'rejected');
}
