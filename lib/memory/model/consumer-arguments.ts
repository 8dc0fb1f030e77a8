import { preconditionFailed } from '../amqp-fault.js';
import type { FieldTable } from '../wire/field-value.js';
import { flag, integer } from './argument-checks.js';
import type { Check } from './argument-checks.js';
import type { QueueType } from './queue-arguments.js';

const checks: readonly (readonly [key: string, check: Check, types: readonly QueueType[]])[] = [
  ['x-priority', integer, ['classic', 'quorum']],
  ['x-cancel-on-ha-failover', flag, ['classic']],
  // Of streams alone.
  ['x-stream-offset', () => undefined, []],
];

/** @throws AmqpFault for an argument of a consumer that RabbitMQ refuses */
export function checkConsumerArguments(where: string, type: QueueType, table: FieldTable): void {
  for (const [key, check, types] of checks) {
    const value = types.includes(type) ? table.get(key) : undefined;
    const problem = value === undefined ? undefined : check(value, table);
    if (problem !== undefined) {
      throw preconditionFailed(`invalid arg '${key}' for ${where}: ${problem}`);
    }
  }
  for (const key of table.keys()) {
    const rule = checks.find(([name]) => name === key);
    if (rule === undefined || rule[2].includes(type)) continue;
    throw preconditionFailed(
      `invalid arg '${key}' for ${where} of queue type rabbit_${type}_queue`,
    );
  }
}
