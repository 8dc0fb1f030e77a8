import { notImplemented } from '../amqp-fault.js';
import type { MethodName } from '../wire/method-table.js';

/** All that RabbitMQ can do and this broker cannot: the answer is 540 with the method's name. */
const names = ['tx.select', 'tx.commit', 'tx.rollback'] as const satisfies readonly MethodName[];

export const notImplementedMethods = Object.fromEntries(
  names.map((name) => [
    name,
    () => {
      throw notImplemented(`${name} is not part of the MemoryBroker`);
    },
  ]),
) as unknown as Readonly<Record<(typeof names)[number], () => never>>;
