import type { FieldTable, FieldValue } from './wire/field-value.js';
import { longstr } from './wire/field-value.js';

const capabilities = [
  'publisher_confirms',
  'exchange_exchange_bindings',
  'basic.nack',
  'consumer_cancel_notify',
  'connection.blocked',
  'consumer_priorities',
  'authentication_failure_close',
  'per_consumer_qos',
  'direct_reply_to',
];

const yes: FieldValue = { type: 'bool', value: true };

/** What a broker says of itself in connection.start. */
export const serverProperties = (clusterName: string): FieldTable =>
  new Map<string, FieldValue>([
    ['capabilities', { type: 'table', value: new Map(capabilities.map((name) => [name, yes])) }],
    ['cluster_name', longstr(clusterName)],
    ['platform', longstr(`Node.js ${process.version}`)],
    ['product', longstr('nestjs-failover MemoryBroker')],
    // Of the RabbitMQ that it behaves like.
    ['version', longstr('3.10.8')],
  ]);
