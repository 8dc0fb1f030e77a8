/** The files of the clients; the first one is the baseline. Each is loaded in a process of its own. */
export const clients = [
  'amqplib',
  'nestjs-failover',
  'amqp-connection-manager',
  'rabbitmq-client',
  'cloudamqp',
  'golevelup',
];
