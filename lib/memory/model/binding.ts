import { preconditionFailed } from '../amqp-fault.js';
import type { FieldTable } from '../wire/field-value.js';
import { sameTable, sameTerm, textOf } from '../wire/field-value.js';
import { termOf } from '../wire/erlang-term.js';
import { wordsOf } from './topic-words.js';

/** Where a binding leads. */
export interface Destination {
  readonly kind: 'queue' | 'exchange';
  readonly name: string;
}

/** What leads from an exchange to a queue or another exchange. */
export interface Binding {
  readonly destination: Destination;
  readonly routingKey: string;
  readonly words: readonly string[];
  readonly arguments: FieldTable;
}

export const bindingOf = (
  destination: Destination,
  routingKey: string,
  table: FieldTable,
): Binding => ({ destination, routingKey, words: wordsOf(routingKey), arguments: table });

/** Binding twice in the same words is binding once. */
export const sameBinding = (one: Binding, other: Binding): boolean =>
  one.routingKey === other.routingKey &&
  one.destination.kind === other.destination.kind &&
  one.destination.name === other.destination.name &&
  sameTable(one.arguments, other.arguments);

const matchModes = new Set(['all', 'any', 'all-with-x', 'any-with-x']);

/** @throws AmqpFault for a headers binding whose `x-match` says nothing that is known */
export function checkHeadersBinding({ arguments: table }: Binding): void {
  const match = table.get('x-match');
  if (match === undefined) return;
  if (match.type !== 'longstr') {
    throw preconditionFailed(
      `Invalid x-match field type ${match.type} (value ${termOf(match)}); expected longstr`,
    );
  }
  const mode = match.value.toString();
  if (matchModes.has(mode)) return;
  throw preconditionFailed(
    `Invalid x-match field value ${termOf(match)}; expected all, any, all-with-x, or any-with-x`,
  );
}

/** Whether the headers of a message are those that a headers binding asks for. */
export function matchesHeaders({ arguments: table }: Binding, headers: FieldTable): boolean {
  const mode = textOf(table.get('x-match')) ?? 'all';
  const withX = mode.endsWith('-with-x');
  let asked = 0;
  let found = 0;
  for (const [key, wanted] of table) {
    if (key === 'x-match' || (!withX && key.startsWith('x-'))) continue;
    asked += 1;
    const value = headers.get(key);
    // A field without a value asks only that the header be there.
    if (value !== undefined && (wanted.type === 'void' || sameTerm(wanted, value))) found += 1;
  }
  return mode.startsWith('any') ? found > 0 : found === asked;
}
