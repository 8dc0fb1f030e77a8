import { preconditionFailed } from '../amqp-fault.js';
import type { FieldTable } from '../wire/field-value.js';
import { textOf } from '../wire/field-value.js';

/**
 * Further routing keys, of RabbitMQ's sender-selected distribution.
 *
 * @throws AmqpFault when the header is not a list
 */
export function headerRoutes(headers: FieldTable, name: 'CC' | 'BCC'): string[] {
  const field = headers.get(name);
  if (field === undefined) return [];
  if (field.type !== 'array') {
    throw preconditionFailed(
      `invalid message: {unacceptable_type_in_header,"${name}",${field.type}}`,
    );
  }
  return field.value.flatMap((value) => {
    const key = textOf(value);
    return key === undefined ? [] : [key];
  });
}
